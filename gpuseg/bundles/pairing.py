"""Which SRC and DST go together where one of them is an archive, or stands for many."""

from __future__ import annotations

import os

from gpuseg import storage
from gpuseg.archives import parquet
from gpuseg.archives.braces import Braces, check_pair, has_braces, kind_at
from gpuseg.archives.naming import Seen, base_name
from gpuseg.archives.opening import check_table
from gpuseg.bundles.finding import Bundles, below
from gpuseg.errors import UsageError
from gpuseg.finding import is_archive
from gpuseg.folders import check_slashes, check_source, check_target, real
from gpuseg.names import why_unsafe, without_suffix
from gpuseg.options import WriteOptions
from gpuseg.taking import takes


def pair(src: str, dst: str, options: WriteOptions) -> Bundles | None:
    """How SRC and DST go together where one of them is an archive, else None.

    Raises UsageError for what does not go together.
    """
    from_archives, into_archives = is_archive(src), is_archive(dst, target=True)
    if options.keep_others and not from_archives:
        check_source(src)
        raise UsageError(
            f"--keep-others keeps other members of an archive, and SRC {src} is none; files of a "
            "folder stay where they are"
        )
    tables = [
        from_archives and kind_at(src) == "parquet",
        into_archives and kind_at(dst) == "parquet",
    ]
    _check_columns(src, dst, options, tables)
    if not (from_archives or into_archives):
        return None
    if tables[0]:
        check_table(src, options.pattern, options.column)
    several = [has_braces(src), has_braces(dst)]
    if options.shard.count > 1 and not any(several):
        raise UsageError(
            "--shard divides a run by archives, and here is only one; leave it out, or name "
            "several by braces (train-{000..099}.tar)"
        )
    check_slashes("SRC", src)
    check_slashes("DST", dst)
    if from_archives and into_archives:
        _check_archives(src, dst)
    elif from_archives:
        if has_braces(dst):
            raise UsageError(f"braces name archives, got a DST {dst}; give one folder for all")
        _check_stems(src, dst)
    else:
        _check_folder(src, dst, options)
    return Bundles(src, dst, options, from_archives, into_archives)


def _check_columns(src: str, dst: str, options: WriteOptions, tables: list[bool]) -> None:
    """Whether what is asked of Parquet files is asked of such. tables: whether SRC and DST are."""
    if any(tables):
        parquet.require()
    elif options.column is not None:
        raise UsageError(
            f"--column names a column of Parquet files, and neither SRC {src} nor DST {dst} is one"
        )
    if options.keep_others and tables[0] != tables[1]:
        raise UsageError(
            "--keep-others keeps other columns of a Parquet file in a Parquet file, and other "
            f"members of an archive in an archive or a folder; SRC is {src}, DST is {dst}"
        )


def _check_archives(src: str, dst: str) -> None:
    several = has_braces(src), has_braces(dst)
    if all(several):
        check_pair(Braces(src), Braces(dst))
    elif any(several):
        raise UsageError(
            f"SRC {src} and DST {dst} must stand for as many archives each: an archive is neither "
            "divided nor joined with others"
        )
    elif real(src) == real(dst):
        raise UsageError(f"DST must not be SRC ({src}): choose another")


def _check_stems(src: str, dst: str) -> None:
    check_target(dst)
    if has_braces(src):
        seen = Seen()
        for path in Braces(src):
            name = without_suffix(below(src, path))
            if why := why_unsafe(name):
                raise UsageError(
                    f"{path} cannot go to a folder of its own below {dst}: {name} would name it, "
                    f"and {why}; begin {src} with the folder that all archives lie in"
                )
            if not seen.add(name):
                raise UsageError(
                    f"several archives of {src} would go to {dst}/{name}; convert them one after "
                    "the other"
                )


def _check_folder(src: str, dst: str, options: WriteOptions) -> None:
    check_source(src)
    folder = dst.rpartition("/")[0] if storage.is_url(dst) else os.path.dirname(dst) or "."
    is_inside = f"{real(folder)}/".startswith(f"{real(src)}/")
    if is_inside and options.pattern is not None and takes(base_name(dst), options.pattern):
        raise UsageError(
            f"DST {dst} lies in SRC and is taken by --pattern {options.pattern!r}; choose another"
        )
