"""A fresh data directory for a private server, with our account as the only usable one.

MariaDB's own script (mariadb-install-db) is not used: it needs my_print_defaults from the client
package, fills help tables that nobody reads here, and leaves root without a password on loopback.
What it does besides is to feed the server's SQL files to `mariadbd --bootstrap`, as done here.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from loadtests.environment.mysql import Address, Flavour
from loadtests.environment.processes import spawn
from loadtests.errors import EnvironmentNotReady

CREATE_LIMIT_S = 180.0
SYSTEM_TABLES = ("system_tables", "performance_tables", "system_tables_data")
HELPERS = ("maria_add_gis_sp_bootstrap.sql", "mysql_sys_schema.sql", "mariadb_sys_schema.sql")
TEMPORARY = "tmp"
USUAL_FOLDERS = ("/usr/share/mysql", "/usr/share/mariadb")


def places(folder: Path) -> list[str]:
    """Options that keep a server within its folder. Temporary tables too: whatever server starts
    removes all `#sql…` files of the folder that they have, and by default all servers share one
    (`mysql_rm_tmp_tables` of MariaDB and MySQL)."""
    return [f"--datadir={folder / 'data'}", f"--tmpdir={folder / TEMPORARY}"]


def create_data(
    program: str, flavour: Flavour, folder: Path, options: Sequence[str], env: Mapping[str, str],
    log_path: Path,
) -> bool:  # fmt: skip
    """Create `folder/data`; whether that worked (the log says why not)."""
    command = [program, "--no-defaults", *places(folder), *options]
    (folder / TEMPORARY).mkdir()
    script = None
    if flavour == "mysql":
        command.append("--initialize-insecure")
    else:
        command += ["--bootstrap", "--log-warnings=0", "--enforce-storage-engine="]
        script = folder / "bootstrap.sql"
        script.write_bytes(_bootstrap_sql(program))
        (folder / "data").mkdir()
    child = spawn(command, env=env, stdin=script, log_path=log_path, name="database set-up")
    deadline_s = time.monotonic() + CREATE_LIMIT_S
    while child.alive() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    child.stop(0)
    return child.returncode == 0


def _bootstrap_sql(program: str) -> bytes:
    """The statements that make MariaDB's system tables."""
    folders = _script_folders(program)
    parts = [b"CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"]
    for name in SYSTEM_TABLES:
        choices = [f / f"{prefix}_{name}.sql" for f in folders for prefix in ("mysql", "mariadb")]
        found = next((path for path in choices if path.is_file()), None)
        if found is None:
            raise EnvironmentNotReady(
                f"{program} is installed, but not the SQL files it needs for a new database "
                f"(looked for {choices[0].name} in {', '.join(map(str, folders))}).",
                hint="Install the whole server package, or use docker or a server of your own.",
            )
        parts.append(found.read_bytes())
    helpers = (folder / name for name in HELPERS for folder in folders)
    parts += [path.read_bytes() for path in helpers if path.is_file()]
    return b"\n".join(parts)


def _script_folders(program: str) -> list[Path]:
    """Where the server keeps its shared files, as it says itself, and the usual places."""
    done = subprocess.run(
        [program, "--no-defaults", "--verbose", "--help"],
        capture_output=True, text=True, errors="replace", timeout=30, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    told = re.findall(r"^(?:character-sets-dir|lc-messages-dir)\s+(/\S+)", done.stdout, re.M)
    folders = [place for path in map(Path, told) for place in (path, path.parent)]
    return list(dict.fromkeys([*folders, *map(Path, USUAL_FOLDERS)]))


def write_account(path: Path, flavour: Flavour, address: Address) -> None:
    """SQL for `--init-file` that leaves our account as the only one that can log in.

    In a file that only we can read, since a command line can be read by everybody.
    """
    account = f"'{address.user}'@'%'"
    no_root = {
        "mysql": [f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{address.password}';"],
        "mariadb": ["DELETE FROM mysql.global_priv WHERE User='root';", "FLUSH PRIVILEGES;"],
    }
    statements = [
        *no_root[flavour],
        f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{address.password}';",
        f"GRANT ALL ON *.* TO {account} WITH GRANT OPTION;",
    ]
    path.touch(mode=0o600)
    path.write_text("\n".join(statements) + "\n", encoding="utf-8")
