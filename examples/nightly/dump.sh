#!/bin/sh
# Dumps a database, packs the dump and sends it to another server.
#     DATABASE      the name of a MySQL or MariaDB database, or the path of a SQLite file
#     DESTINATION   a folder, or host:folder for scp
# User and password of MySQL stand in ~/.my.cnf, where no process list shows them.
set -eu

SET_UP_WRONGLY=78
TRY_AGAIN_LATER=75

# Descriptor 3 is where qsuper listens; whoever runs this by hand has none.
tell() {
    { printf '%s\n' "$1" >&3; } 2>/dev/null || :
}

if [ -z "${DATABASE-}" ] || [ -z "${DESTINATION-}" ]; then
    echo "set DATABASE and DESTINATION" >&2
    exit $SET_UP_WRONGLY
fi
base=$(basename "$DATABASE" .db)
name=$base-$(date +%Y-%m-%d).sql
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' TERM

tell '{"progress": 0.1, "text": "dumping"}'
# Into a file first: of a pipe only the end of its last program is known.
case $DATABASE in
*/* | *.db)
    [ -f "$DATABASE" ] || { echo "$DATABASE is not there" >&2; exit $SET_UP_WRONGLY; }
    sqlite3 -readonly "$DATABASE" '.timeout 30000' .dump >"$folder/$name"
    end='COMMIT;'
    ;;
*)
    program=$(command -v mariadb-dump || command -v mysqldump)
    "$program" --single-transaction --quick --routines "$DATABASE" >"$folder/$name"
    end='-- Dump completed'
    ;;
esac
tail -n 1 "$folder/$name" | grep -q -e "^$end" || { echo "the dump has no end" >&2; exit 1; }

tell '{"progress": 0.5, "text": "packing"}'
gzip "$folder/$name"
gzip -t "$folder/$name.gz"

tell '{"progress": 0.8, "text": "sending"}'
case $DESTINATION in
*:*)
    scp -qB "$folder/$name.gz" "$DESTINATION/" || exit $TRY_AGAIN_LATER
    ;;
*)
    # Under its name it is whole, or not there.
    cp "$folder/$name.gz" "$DESTINATION/.$name.part" || exit $TRY_AGAIN_LATER
    mv "$DESTINATION/.$name.part" "$DESTINATION/$name.gz"
    ;;
esac
bytes=$(wc -c <"$folder/$name.gz")
tell "{\"result\": {\"file\": \"$name.gz\", \"bytes\": $((bytes))}}"
echo "$name.gz is at $DESTINATION"
