"""The built-in scenarios under plain Locust, with its web page on the loopback interface.

    locust -f loadtests/locustfile.py --host http://127.0.0.1:8000 [ReadOneUser | CrudMixUser | …]
    locust -f loadtests/locustfile.py --host http://127.0.0.1:8000 --headless -u 16 -r 16 -t 30s

Without a class, users of all scenarios are mixed; `locust -f … --list` names the classes.
Locust's own numbers are rounded and start when a request is sent; `bench run` measures with the
same users, but from the planned arrival and in nanoseconds.
"""

from __future__ import annotations

from typing import Any

from locust import events

from loadtests.scenarios.users import BUILT_IN_USERS

# Locust takes the user classes that it finds among a locustfile's names.
globals().update({users.__name__: users for users in BUILT_IN_USERS.values()})


def listen_on_loopback(parser: Any) -> None:
    """Locust's default is every interface; `--web-host` and `--master-bind-host` still win."""
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1")


events.init_command_line_parser.add_listener(listen_on_loopback)
