"""Whether each process answers, where it is said to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from libs.cli.api import NoHub
from libs.cli.doctor.finding import Finding
from libs.cli.jaeger import Jaeger
from libs.cli.stack.folder import DataFolder


def readiness(url: str) -> Finding:
    """Whether the gateway lets imports in."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5, trust_env=False)
    except httpx.TransportError as error:
        return Finding("gateway", type(error).__name__, "See log/gateway.log in the data folder.", well=False)
    seen = f"/readyz {answer.status_code}"
    return Finding("gateway", seen, "See log/ingestion.log in the data folder.", well=answer.is_success)


def console(url: str) -> Finding:
    """Whether the operators' pages are there."""
    try:
        answer = httpx.get(f"{url}/console/login", timeout=5, trust_env=False)
    except httpx.TransportError as error:
        return Finding("console", type(error).__name__, "See log/gateway.log in the data folder.", well=False)
    seen = f"{url}/console" if answer.is_success else f"/console/login {answer.status_code}"
    return Finding("console", seen, "See log/console.log in the data folder.", well=answer.is_success)


def services(folder: DataFolder, facts: dict[str, Any]) -> Iterator[Finding]:
    """Whether each process serves, and all by the same contracts."""
    from libs.cli.stack.certificates import operator_of  # noqa: PLC0415 — gRPC, which no other subcommand needs
    from libs.cli.stack.readiness import Probe  # noqa: PLC0415 — as above

    addresses = {name: facts["addresses"][name] for name in facts["instances"]}
    operator = operator_of(folder, tls=facts["tls"])
    with Probe(addresses, tls=operator) as probe:
        serving = {name: address for name, address in addresses.items() if probe.serves(name)}
    for name in addresses:
        remedy = f"See log/{name}.log in the data folder; if it hangs: contactsync restart {name}."
        yield Finding(name, "SERVING" if name in serving else "not serving", remedy, well=name in serving)
    with Probe(serving, tls=operator) as probe:
        differences = probe.contract_differences()
    seen = ", ".join(differences) or f"the gateway's are those of the {len(serving)} that serve"
    yield Finding("contracts", seen, "Install one version of everything, and start again.", well=not differences)


def certificates(folder: DataFolder) -> Finding:
    """Whether the certificates are good for long enough."""
    from libs.cli.stack.certificates import first_end  # noqa: PLC0415 — cryptography, which few subcommands need

    end = first_end(folder)
    seen = f"the first one ends on {end:%Y-%m-%d}"
    remedy = "contactsync up renews them while it runs; restart it."
    return Finding("certificates", seen, remedy, well=end - datetime.now(UTC) > timedelta(days=7))


def metrics(urls: dict[str, str]) -> Finding:
    """Whether each process tells its numbers."""
    silent = [name for name, url in urls.items() if not _listens(url)]
    seen = f"silent: {', '.join(silent)}" if silent else f"{len(urls)} processes tell theirs: see contactsync metrics"
    return Finding("metrics", seen, "See the log of those that are silent in the data folder.", well=not silent)


def _listens(url: str) -> bool:
    """Not asked for its numbers: it would load what tells them."""
    try:
        httpx.head(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def traces(jaeger_url: str) -> Finding:
    """Whether Jaeger answers."""
    try:
        services = Jaeger(jaeger_url).services()
    except NoHub as error:
        return Finding("traces", str(error), "The hub works without; see log/jaeger.log if it is its own.", well=False)
    return Finding("traces", f"{jaeger_url} has heard of {len(services)} services")
