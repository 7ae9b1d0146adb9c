"""Where calls to a service go: to one address, or in turn to all of those that say they are well."""

import json
from ipaddress import ip_address

_IN_TURN = json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})

Options = tuple[tuple[str, str], ...]


def target_of(addresses: str) -> tuple[str, Options]:
    """The target and the options of a channel to comma-separated ``host:port``.

    Several must be numeric and of one family; one name may stand for any number of replicas. Replicas are asked in
    turn, without those whose health does not say SERVING. ValueError for what is no such list.
    """
    listed = [each.strip() for each in addresses.split(",") if each.strip()]
    families = {_family(each) for each in listed}
    if len(families) != 1 or (len(listed) > 1 and families == {"name"}):
        raise ValueError(f"{addresses!r} is neither one host:port nor several numeric ones of one family")
    family = families.pop()
    if len(listed) == 1 and family != "name":
        return listed[0], ()
    target = f"dns:///{listed[0]}" if family == "name" else f"{family}:{','.join(listed)}"
    return target, (("grpc.service_config", _IN_TURN),)


def _family(address: str) -> str:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return f"ipv{ip_address(host).version}"
    except ValueError:
        return "name"
