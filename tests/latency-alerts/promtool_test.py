#!/usr/bin/env python3
"""promtool's checks of the rules and their unit tests. usage: promtool_test.py deploy/prometheus; exits 77 (skipped)
where promtool is missing."""
import shutil
import subprocess
import sys


def main():
    promtool = shutil.which("promtool")
    if not promtool:
        print("skipped: promtool (package prometheus) is not installed")
        return 77
    for arguments in (["check", "rules", "its-camera-ai.rules.yml"], ["test", "rules", "its-camera-ai.rules.test.yml"]):
        status = subprocess.run([promtool, *arguments], cwd=sys.argv[1], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
