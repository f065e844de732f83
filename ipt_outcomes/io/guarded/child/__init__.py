"""What runs in the child process: only the standard library, pyreadstat and pyarrow are imported here.

The folder is loaded by its path under a name of its own (see `ipt_outcomes.io.guarded.session`), so that the child
starts without pandas and without the rest of the package; all imports inside it are relative.
"""
