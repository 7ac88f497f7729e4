"""Garbage: unused rows and objects, which are collected, can be given back for a while, and are then deleted."""
