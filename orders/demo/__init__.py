"""The demonstration: two stores with people, histories and one order per worked example.

The past is produced by the services themselves, called with earlier instants in the order of those instants.
"""
