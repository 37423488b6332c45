"""The demonstration: two stores with people, histories and one order for each worked example.

The past is produced by the services themselves, called with earlier instants in the order of those instants.
"""
