"""How a param is written: from the arguments of a call to the text of the column, and back.

A further codec is one more file and one line in `CODECS`. Never pickle: a row must not be able
to run code.
"""

from qsuper.tasks.codecs.codec import Codec, text_of
from qsuper.tasks.codecs.json import Json
from qsuper.tasks.codecs.php import Php
from qsuper.tasks.codecs.query import Query
from qsuper.tasks.codecs.raw import Raw

__all__ = ["CODECS", "Codec", "text_of"]

CODECS: dict[str, Codec] = {"json": Json(), "query": Query(), "php": Php(), "raw": Raw()}
