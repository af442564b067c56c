"""PURE: every check that can make a result invalid, each with value, limit, words and remedy.

A gate judges all finished trials of one arm at one load together, so that one bad second does not
condemn a good run. Where the worst trials are set aside, the detail names them.
"""

from reports.gates.at_load import Conditions, load_gates, pair_gates, shared_gates
from reports.gates.distance import DISTANCE_REMEDY, distance_gate
from reports.gates.errors import unequal_errors
from reports.gates.generator import send_lag_limit_ms
from reports.gates.machine import crowding
from reports.gates.resources import resources_gate
from reports.gates.settings import database_gate, settings_gate
from reports.gates.stability import saturation
from reports.gates.tables import tables_gate
from reports.model import CAPACITY, COST

__all__ = [
    "DISTANCE_REMEDY",
    "SPARED",
    "Conditions",
    "crowding",
    "database_gate",
    "distance_gate",
    "load_gates",
    "pair_gates",
    "resources_gate",
    "saturation",
    "send_lag_limit_ms",
    "settings_gate",
    "shared_gates",
    "tables_gate",
    "unequal_errors",
]

SPARED = {
    "send-lag": COST,
    "no-free-user": COST,
    "offered-rate": COST,
    "error-parity": CAPACITY,
}
"""Metrics that a gate does not touch: when requests were sent is nothing to CPU cost, and capacity
counts good answers alone."""
