# SPDX-License-Identifier: MIT
"""What breaks things: `nemesis.TABLE` has a row for each fault, one file for each family of them.

Rule: a fault acts through the World that it is given, and undoes what it did before it returns."""
from .nemesis import TABLE, Nemesis, choose
from .world import Deaths, Disk, Proxies, World

__all__ = ["TABLE", "Deaths", "Disk", "Nemesis", "Proxies", "World", "choose"]
