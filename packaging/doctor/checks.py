# SPDX-License-Identifier: MIT
"""The table of all checks, in the order in which they are told: causes before what follows from
them."""
from . import checks_configuration, checks_database, checks_files, checks_processes
from .finding import error

# name, function(installation) that yields findings
CHECKS = (
    ("configuration", checks_configuration.check_configuration),
    ("variables", checks_configuration.check_variables),
    ("agreement", checks_configuration.check_agreement),
    ("exposure", checks_configuration.check_exposure),
    ("disk", checks_files.check_disk),
    ("secrets", checks_files.check_secrets),
    ("public keys", checks_files.check_public_keys),
    ("sockets", checks_files.check_sockets),
    ("certificate", checks_files.check_certificate),
    ("ports", checks_processes.check_ports),
    ("processes", checks_processes.check_processes),
    ("database", checks_database.check_database),
    ("durability", checks_database.check_durability),
    ("schema", checks_database.check_schema),
    ("clock", checks_database.check_clock),
    ("replica", checks_processes.check_replica),
    ("redis", checks_processes.check_redis),
    ("plugin", checks_configuration.check_plugin_file),
    ("link", checks_processes.check_link),
    ("bridge", checks_processes.check_bridge),
    ("broker", checks_processes.check_broker),
    ("descriptors", checks_processes.check_descriptors),
    ("pushes", checks_processes.check_pushes),
)


def run(inst):
    """All findings. Without the settings the first check is the only one that makes sense."""
    inst.load()
    checks = CHECKS[:1] if inst.setting_errors else CHECKS
    for name, check in checks:
        try:
            for finding in check(inst):
                finding.check = name
                yield finding
        except (OSError, ValueError, LookupError) as problem:
            failed = error(f"cannot be checked: {type(problem).__name__}: {problem}",
                           "Run this as root, or as the user who started the installation")
            failed.check = name
            yield failed
