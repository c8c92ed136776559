# SPDX-License-Identifier: Apache-2.0
"""Starts Weir and its load, measures, compares with limits measured in the same run."""
