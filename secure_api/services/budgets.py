"""Privacy budgets of datasets: what studies may cost together, and what they have cost.

A study costs rho-zCDP, and costs add up (Bun and Steinke 2016). The budget is an epsilon at a delta: the sum of all
rho, converted at that delta, stays within it.
"""

import asyncio
from dataclasses import dataclass

from crypto import CryptoError, PrivacyError
from crypto.privacy import epsilon_of
from secure_api.data.budgets import Budget, BudgetRepository, Spending
from secure_api.data.datasets import Dataset, DatasetRepository
from secure_api.domain.errors import Conflict, Invalid, NotFound, NotReady
from secure_api.domain.json_value import JsonValue
from secure_api.domain.roles import Permission
from secure_api.domain.studies import Privacy
from secure_api.services.work import View, Work


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A dataset's budget, the epsilon that its studies have cost at its delta, and these studies."""

    budget: Budget
    spent: float
    spendings: list[Spending]


async def set_budget(work: Work, name: str, budget: Budget) -> BudgetView:
    """Set the budget of a dataset of the caller's organization.

    Raises:
        Forbidden: the caller's role sets no budgets.
        NotFound: the organization has no such dataset.
        Conflict: its studies have cost more than that already.
    """
    work.caller.require(Permission.SET_BUDGETS)
    dataset = await DatasetRepository(work.session, work.caller).get(name)
    repository = BudgetRepository(work.session, work.caller)
    await repository.hold(dataset.id)
    spendings = await repository.spendings(dataset.id)
    spent = await _epsilon(spendings, 0.0, budget.delta)
    if spent > budget.epsilon:
        raise Conflict(f"The dataset's studies have cost an epsilon of {spent:.4g} at this delta already.")
    await repository.put(dataset.id, budget, work.clock())
    told: dict[str, JsonValue] = {"dataset": dataset.id, "name": name, "epsilon": budget.epsilon, "delta": budget.delta}
    told["sensitivity"] = budget.sensitivity
    await work.record("dataset.budget", told)
    return BudgetView(budget, spent, spendings)


async def budget_of(view: View, name: str) -> BudgetView:
    """Look at the budget of a dataset of the caller's organization.

    Raises:
        Forbidden: the caller's role does not read datasets.
        NotFound: the organization has no such dataset, or it has no budget.
    """
    view.caller.require(Permission.READ_DATASETS)
    dataset = await DatasetRepository(view.session, view.caller).get(name)
    repository = BudgetRepository(view.session, view.caller)
    budget = await repository.find(dataset.id)
    if budget is None:
        raise NotFound(f"The dataset {name} has no privacy budget.")
    spendings = await repository.spendings(dataset.id)
    return BudgetView(budget, await _epsilon(spendings, 0.0, budget.delta), spendings)


async def reserve(work: Work, dataset: Dataset, privacy: Privacy | None) -> None:
    """Hold a dataset's budget, and accept what a study that is about to be created costs of it.

    Raises:
        Invalid: the dataset has a budget, and the study declares no privacy, or a smaller sensitivity than it asks for.
        Conflict: it costs more than is left.
    """
    repository = BudgetRepository(work.session, work.caller)
    await repository.hold(dataset.id)
    budget = await repository.find(dataset.id)
    if budget is None:
        return
    if privacy is None:
        raise Invalid(
            f"The dataset {dataset.name} has a privacy budget: its studies declare privacy.", pointer="/privacy"
        )
    least = budget.sensitivity
    if least is not None and privacy.sensitivity is not None and privacy.sensitivity < least:
        raise Invalid(
            f"Studies of {dataset.name} hide a sensitivity of {least:g} at least.", pointer="/privacy/sensitivity"
        )
    spendings = await repository.spendings(dataset.id)
    together = await _epsilon(spendings, privacy.rho, budget.delta)
    if together > budget.epsilon:
        spent = await _epsilon(spendings, 0.0, budget.delta)
        raise Conflict(
            f"The budget of {dataset.name} is an epsilon of {budget.epsilon:g} at a delta of {budget.delta:g}; "
            f"{spent:.4g} are spent, and with this study it would be {together:.4g}."
        )


async def _epsilon(spendings: list[Spending], more: float, delta: float) -> float:
    rho = sum(one.rho for one in spendings if not one.returned) + more
    try:
        return await asyncio.to_thread(epsilon_of, rho, delta)
    except PrivacyError as error:
        raise Invalid(f"{error}.", pointer="/privacy") from error
    except CryptoError as error:
        raise NotReady(str(error)) from error
