"""The program itself as a Typer group that imports a command when it is called."""

from functools import cache
from importlib import import_module, metadata
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from secure_api.cli.catalog import CATALOG, PLUGINS, Entry
from secure_api.cli.command import Command

ENTRY_POINTS: Final = "secure_api.commands"


class CommandGroup(TyperGroup):
    """The catalog's commands, and behind them what other packages contribute.

    A plug-in is an entry point of the group `secure_api.commands` that names a `typer.Typer`; it is imported when it is
    called, or when the help lists it. One that cannot be loaded is a warning, and takes nothing else with it.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._entries = {entry.name: entry for entry in CATALOG}
        for entry in CATALOG:
            self.add_command(TyperCommand(entry.name, help=entry.help, rich_help_panel=entry.panel))

    def list_commands(self, ctx: Any) -> list[str]:
        """Name every command, the plug-ins last."""
        return [*self._entries, *(name for name in sorted(_plugins()) if name not in self._entries)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find what the help says of a command: of a built-in one without importing it."""
        return super().get_command(ctx, cmd_name) or _load_plugin(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self._entries:
            command = load(self._entries[name])
        return name, command, rest


def load(entry: Entry) -> Any:
    """Import a command of the catalog."""
    module = import_module(f"secure_api.cli.{entry.name}")
    group = getattr(module, "app", None)
    if isinstance(group, typer.Typer):
        return typer.main.get_group(group)
    single = typer.Typer(add_completion=False)
    single.command(entry.name, cls=Command, epilog=module.EXAMPLES)(getattr(module, entry.name))
    return typer.main.get_command(single)


@cache
def _plugins() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=ENTRY_POINTS)}


@cache
def _load_plugin(name: str) -> Any:
    entry = _plugins().get(name)
    if entry is None:
        return None
    try:
        plugin = entry.load()
        if not isinstance(plugin, typer.Typer):
            raise TypeError(f"{entry.value} is not a typer.Typer")
        group = typer.main.get_group(plugin)
    except (Exception, SystemExit) as error:
        from secure_api.cli.console import warn

        warn(f"the command {name} cannot be loaded: {type(error).__name__}: {' '.join(str(error).split())}")
        return None
    group.name, group.rich_help_panel = name, PLUGINS
    return group
