"""Carrying a plan out: workers, what becomes of their work, and the launch around it."""
