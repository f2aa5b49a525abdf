# SPDX-License-Identifier: MIT
"""`./banter bench all`, `bench growth` and `bench report`: everything that banter-bench measures,
in rounds, beside its baselines, and what is written of it. ../README.md tells the method."""
