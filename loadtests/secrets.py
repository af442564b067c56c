"""PURE: passwords, tokens and header values taken out of whatever is stored or shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MASK = "***"
FROM_ENVIRONMENT = "env:"
"""A value that starts like this names a variable instead of being the secret."""
KEY = "{key}"
SECRET_NAME = re.compile(
    r"passw|passphrase|^pass$|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|^key$"
    r"|^auth$|authoriz|credential|signature|^sig$|session[-_]?id",
    re.IGNORECASE,
)
"""Names of query parameters and JSON members whose literal values are taken for secrets."""
SECRET_TABLES = ("headers", "env")
SECRET_URLS = ("database", "url")


def masked_url(url: str) -> str:
    """A URL with its password and secret query values replaced; other texts as they are."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    if parts.password:
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{parts.username}:{MASK}@{host}")
    elif "@" in parts.path and "://" in url:  # an unescaped slash in the password
        return f"{parts.scheme}://{MASK}"
    if not (parts.password or parts.query):
        return url
    return urlunsplit(parts._replace(query=_masked_query(parts.query)))


def masked_path(path: str) -> str:
    """A request's path with secret query values replaced (`/items?token=***&page={key}`)."""
    before, mark, query = path.partition("?")
    return f"{before}{mark}{_masked_query(query)}"


def _masked_query(query: str) -> str:
    return "&".join(_masked_parameter(*part.partition("=")) for part in query.split("&"))


def _masked_parameter(name: str, equals: str, value: str) -> str:
    secret = bool(value) and KEY not in value and SECRET_NAME.search(name)
    return f"{name}{equals}{MASK if secret else value}"


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with their literal values replaced; `env:NAME` names a source and is kept."""
    return {
        name: value if value.startswith(FROM_ENVIRONMENT) else MASK
        for name, value in headers.items()
    }


def masked_env(env: Mapping[str, str]) -> dict[str, str]:
    """Environment values with literals replaced; those with a placeholder name a source."""
    return {name: masked_url(value) if "{" in value else MASK for name, value in env.items()}


def masked_json(value: Any) -> Any:
    """JSON with the texts of secret-looking members replaced."""
    if isinstance(value, Mapping):
        return {name: _masked_member(str(name), each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked_json(each) for each in value]
    return value


def _masked_member(name: str, value: Any) -> Any:
    if isinstance(value, str) and KEY not in value and SECRET_NAME.search(name):
        return MASK
    return masked_json(value)


def masked_override(override: str) -> str:
    """A `KEY=VALUE` of `--set` with its value masked where the key may hold a secret."""
    key, equals, raw = override.partition("=")
    return f"{key}{equals}{_masked_value(key.split('.'), raw)}"


def _masked_value(key: Sequence[str], raw: str) -> str:
    text = raw.strip().strip("\"'")
    if any(table in key for table in SECRET_TABLES):
        return raw if text.startswith(FROM_ENVIRONMENT) else MASK
    if key[-1] in SECRET_URLS:
        return masked_url(text)
    if key[-1] == "path":
        return masked_path(text)
    may_hold = any(word in raw for word in (*SECRET_TABLES, *SECRET_URLS)) or _secret_word_in(raw)
    if SECRET_NAME.search(key[-1]) or (raw.lstrip().startswith(("{", "[")) and may_hold):
        return MASK
    return raw


def _secret_word_in(raw: str) -> bool:
    return any(SECRET_NAME.search(word) for word in re.findall(r"[\w-]+", raw))


def hides_a_secret(override: str) -> bool:
    """Whether `masked_override` took the value out, so that it cannot be used again."""
    return MASK in override.partition("=")[2]


def masked_command(words: Sequence[str]) -> str:
    """A command line as it is stored: what `--set` brings is masked."""
    shown: list[str] = []
    for word in words:
        option, equals, value = word.partition("=")
        if shown and shown[-1] == "--set":
            shown.append(masked_override(word))
        elif option == "--set" and equals:
            shown.append(f"--set={masked_override(value)}")
        else:
            shown.append(word)
    return shlex.join(shown)
