"""Print where the plugins of this wheel are, a path a line."""

from lmcache.hpu.plugins import scripts

if __name__ == "__main__":
    for script in scripts():
        print(script)
