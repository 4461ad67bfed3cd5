#!/usr/bin/env python3
"""The PostgreSQL driver against a real server, directly and through PgBouncer in transaction mode.

usage: postgres_test.py PROGRAM"""
import subprocess
import sys

from postgres import Postgres

with Postgres() as server:
    sys.exit(subprocess.run([sys.argv[1], server.url(), server.start_pooler()]).returncode)
