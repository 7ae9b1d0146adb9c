"""What every service process has in common: its settings, its keys, and how it says that it cannot start."""

from libs.process.keys import KeyFileError, read_key_file
from libs.process.run import run_process
from libs.process.settings import ProcessSettings

__all__ = ["KeyFileError", "ProcessSettings", "read_key_file", "run_process"]
