"""class_map: the class map and the ledger on disk, whole or refused."""
