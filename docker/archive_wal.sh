#!/bin/sh
# What PostgreSQL calls for each finished piece of its log (archive_command): archive_wal.sh PATH NAME
#
# A piece that is there already is another one's, unless it says the same: after a crash PostgreSQL hands over again what
# it does not know to be kept. What is half copied has no name that recovery would look for.
set -eu
kept=${WAL_ARCHIVE:?}/$2
if [ -e "$kept" ]; then
    cmp -s "$1" "$kept"
    exit
fi
cp "$1" "$kept.unfinished"
sync "$kept.unfinished"
mv "$kept.unfinished" "$kept"
