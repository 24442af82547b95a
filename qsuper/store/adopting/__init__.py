"""Taking over the table `queue` of a PHP loop, with all its rows, while programs write to it.

The new table is built beside the old one, one RENAME puts it in its place (so that writers never
see a missing table, and what they wrote before is whole in the backup), and then the rows are
copied. What has been done is in the database: adopting again goes on where it was cut off.
"""

from qsuper.store.adopting.adoption import Adoption
from qsuper.store.adopting.old_table import OldTable

__all__ = ["Adoption", "OldTable"]
