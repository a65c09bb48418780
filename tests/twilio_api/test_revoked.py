"""A door that remembers callers forgets them with the change that takes their right away."""

from pathlib import Path

import httpx
import pytest

from stopwire.flows import own
from tests.gateway import Gateway


@pytest.mark.parametrize("workers", [0, 1])
def test_a_key_that_was_deleted_and_an_account_that_was_suspended_are_refused_at_once(tmp_path: Path, workers: int) -> None:
    gateway = Gateway(tmp_path, workers=workers)
    try:
        key = gateway.client().new_keys.create(friendly_name="short-lived")
        messages = f"/2010-04-01/Accounts/{gateway.account_sid}/Messages.json"
        with httpx.Client(base_url=gateway.url, auth=(key.sid, key.secret)) as program:
            assert [200, 200] == [program.get(messages).status_code for _ in range(2)]
            gateway.client().keys(key.sid).delete()
            assert 401 == program.get(messages).status_code
        assert 200 == gateway.http.get(messages).status_code
        gateway.run(own.set_status(gateway.world, account=gateway.account_sid, status="suspended"))
        assert 403 == gateway.http.get(messages).status_code
    finally:
        gateway.close()
