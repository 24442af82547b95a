"""The application of watched keys with a listener whose firings nobody guards."""

from qsuper.store import ledger
from qsuper.store.backend import Statement
from tests.acceptance import watch_app

queue = watch_app.queue

_guard = ledger._FIRE.text[ledger._FIRE.text.index("AND (fired IS NULL") :]
_always = "AND (:since <= :fired OR fired IS NULL)"
ledger._FIRE = Statement(ledger._FIRE.text.replace(_guard, _always))
