"""The state of the features' memory: clients, networks, routes and owners as values that can be saved."""

from array import array
from collections.abc import Callable, Mapping
from typing import Any, Final

from anomaly.clients import EW_LENGTH, ROUTE_BINS, ClientState, NetworkState, RouteState
from anomaly.entities import E, EntityTable
from anomaly.errors import EventError, StateCorrupt
from anomaly.features import FEATURES, FeatureExtractor
from anomaly.routes import MAX_ROUTES
from anomaly.state import State, Value, take, take_array

_FLOATS: Final = {
    ClientState: ("first", "last", "known", "window", "listed", "level", "risen"),
    NetworkState: (
        "first", "last", "window", "requests", "denials", "usual_clients", "usual_denials", "level", "risen",
    ),
    RouteState: tuple(name for name in RouteState.__slots__ if name not in ("index", "count")),
}  # fmt: skip
_BIG: Final = {
    ClientState: (("objects", 32), ("objects_before", 32), ("agent", 8)),
    NetworkState: (("clients", 16), ("clients_before", 16)),
}
_INTS: Final = {
    ClientState: ("count", "previous", "streak", "forged"),
    NetworkState: ("count",),
    RouteState: ("index", "count"),
}


def _pack(entity: Any) -> list[Value]:
    kind = type(entity)
    row: list[Value] = [
        array("d", [getattr(entity, name) for name in _FLOATS[kind]]),
        array("q", [getattr(entity, name) for name in _INTS[kind]]),
        b"".join(getattr(entity, name).to_bytes(width, "big") for name, width in _BIG.get(kind, ())),
    ]
    if kind is ClientState:
        row += [entity.ew, bytes(entity.counts), entity.trail]
        row.append(array("q", (entity.home, entity.home_before, entity.home_first)))
    return row


def _unpack(entity: Any, row: Value) -> None:
    kind = type(entity)
    length = 7 if kind is ClientState else 3
    if not isinstance(row, list) or len(row) != length:
        raise StateCorrupt("An entity of the state has another shape.")
    parts = {str(place): value for place, value in enumerate(row)}
    for name, number in zip(_FLOATS[kind], take_array(parts, "0", "d", len(_FLOATS[kind])), strict=True):
        setattr(entity, name, number)
    for name, whole in zip(_INTS[kind], take_array(parts, "1", "q", len(_INTS[kind])), strict=True):
        setattr(entity, name, whole)
    big, start = _sized(parts, "2", sum(width for _, width in _BIG.get(kind, ()))), 0
    for name, width in _BIG.get(kind, ()):
        setattr(entity, name, int.from_bytes(big[start : start + width], "big"))
        start += width
    if kind is ClientState:
        entity.ew = take_array(parts, "3", "f", EW_LENGTH + len(FEATURES))
        entity.counts = bytearray(_sized(parts, "4", ROUTE_BINS + 24))
        entity.trail = take(parts, "5", bytes)
        entity.home, entity.home_before, entity.home_first = take_array(parts, "6", "q", 3)


def _sized(parts: Mapping[str, Value], name: str, length: int) -> bytes:
    value = take(parts, name, bytes)
    if len(value) != length:
        raise StateCorrupt("A part of an entity has another length.")
    return value


def _table_state(table: EntityTable[E]) -> State:
    return {
        "settled keys": array("q", table.settled), "newcomer keys": array("q", table.newcomers),
        "rows": [_pack(entity) for _, entity in table], "evictions": table.evictions,
    }  # fmt: skip


def _table_restore(table: EntityTable[E], state: State, make: Callable[[], E]) -> None:
    settled, newcomers = take_array(state, "settled keys", "q"), take_array(state, "newcomer keys", "q")
    rows = take(state, "rows", list)
    if len(rows) != len(settled) + len(newcomers):
        raise StateCorrupt("A table of the state has more keys than rows, or fewer.")
    table.settled.clear()
    table.newcomers.clear()
    for place, (key, row) in enumerate(zip([*settled, *newcomers], rows, strict=True)):
        entity = make()
        _unpack(entity, row)
        try:
            table.restore(key, entity, settled=place < len(settled))
        except EventError as error:
            raise StateCorrupt(str(error)) from error
    table.evictions = take(state, "evictions", int)


def features_state(features: FeatureExtractor) -> State:
    """Return everything that `features` remembers."""
    routes = features.routes
    return {
        "now": features.now,
        "offset": features.offset,
        "clients": _table_state(features.clients),
        "unknown": _table_state(features.unknown),
        "networks": _table_state(features.networks),
        "route names": list(routes.names),
        "routes": [_pack(routes.table[name]) for name in routes.names],
        "rows": [
            [before, array("q", row), array("d", row.values()), routes.totals[before]]
            for before, row in routes.rows.items()
        ],
        "tags": features.owners.tags,
        "holders": features.owners.holders,
    }


def restore_features(features: FeatureExtractor, state: State) -> None:
    """Make `features` remember what `state` says, exactly.

    Raises:
        StateCorrupt: the state is of another shape, or of larger tables.
    """
    now = features.now = take(state, "now", float)
    features.offset = take(state, "offset", float)
    width = len(FEATURES)
    _table_restore(features.clients, take(state, "clients", dict), lambda: ClientState(now, width))
    _table_restore(features.unknown, take(state, "unknown", dict), lambda: ClientState(now, width))
    _table_restore(features.networks, take(state, "networks", dict), lambda: NetworkState(now))
    names, rows = take(state, "route names", list), take(state, "routes", list)
    if len(names) != len(rows) or len(names) > MAX_ROUTES + 1 or len(set(map(str, names))) != len(names):
        raise StateCorrupt("The routes of the state do not fit one another.")
    routes = features.routes
    routes.names = [str(name) for name in names]
    routes.table = {}
    for index, (name, row) in enumerate(zip(routes.names, rows, strict=True)):
        route = RouteState(index, now)
        _unpack(route, row)
        if route.index != index:
            raise StateCorrupt("A route of the state has another's index.")
        routes.table[name] = route
    _restore_steps(features, take(state, "rows", list))
    features.owners.tags = take_array(state, "tags", "I", len(features.owners.tags))
    features.owners.holders = take_array(state, "holders", "I", len(features.owners.holders))
    for table in (features.clients, features.unknown):
        if any(index >= len(names) for _, who in table for index in who.trail):
            raise StateCorrupt("A client of the state took a route that is not there.")


def _restore_steps(features: FeatureExtractor, rows: list[Value]) -> None:
    routes = features.routes
    routes.rows, routes.totals = {}, {}
    for step in rows:
        if not isinstance(step, list) or len(step) != 4:
            raise StateCorrupt("A row of the routes' chain has another shape.")
        parts = {str(place): value for place, value in enumerate(step)}
        before, there = take(parts, "0", int), take_array(parts, "1", "q")
        counts = take_array(parts, "2", "d", len(there))
        routes.rows[before] = dict(zip(there, counts, strict=True))
        routes.totals[before] = take(parts, "3", float)
