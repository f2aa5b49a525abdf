# SPDX-License-Identifier: MIT
"""What stock_paho.py is made of."""
