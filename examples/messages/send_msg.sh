#!/bin/sh
# Sends one message to each of its receivers. The job's param is the only argument, a query string:
#     uid=4&uids[]=6&uids[]=234&content=hi
set -eu

DATA_IS_WRONG=65
TRY_AGAIN_LATER=75

# The values of one name of a query string, each on a line of its own.
values() {
    printf '%s' "$1" | tr '&' '\n' | LC_ALL=C awk -v wanted="$2" '
        BEGIN { for (i = 1; i < 256; i++) byte[sprintf("%02X", i)] = sprintf("%c", i) }
        {
            at = index($0, "=")
            name = decoded(substr($0, 1, at - 1))
            sub(/\[.*/, "", name)
            if (at && name == wanted) print decoded(substr($0, at + 1))
        }
        function decoded(text,    out) {
            gsub(/[+]/, " ", text)
            while (match(text, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
                out = out substr(text, 1, RSTART - 1) byte[toupper(substr(text, RSTART + 1, 2))]
                text = substr(text, RSTART + 3)
            }
            return out text
        }'
}

# Descriptor 3 is where qsuper listens; whoever runs this by hand has none.
tell() {
    { printf '%s\n' "$1" >&3; } 2>/dev/null || :
}

is_uid() {
    case $1 in
    '' | *[!0-9]*) return 1 ;;
    esac
}

# Instead of this: your mail server, your push service.
send() {
    printf 'from %s: %s\n' "$1" "$3" >>"outbox/$2.txt"
}

refuse() {
    echo "wanted: uid, uids[] and content" >&2
    exit $DATA_IS_WRONG
}

sender=$(values "${1-}" uid)
receivers=$(values "${1-}" uids)
content=$(values "${1-}" content)
is_uid "$sender" && [ -n "$receivers" ] && [ -n "$content" ] || refuse
total=0
for receiver in $receivers; do
    is_uid "$receiver" || refuse
    total=$((total + 1))
done

# What an attempt before this one has sent is not sent again.
before=$(printf '%s' "${QSUPER_STATE-}" | tr -cd 0-9)
sent=0
for receiver in $receivers; do
    if [ "$sent" -ge "${before:-0}" ]; then
        send "$sender" "$receiver" "$content" || exit $TRY_AGAIN_LATER
        tell "{\"state\": {\"sent\": $((sent + 1))}}"
    fi
    sent=$((sent + 1))
    tell "{\"progress\": $(awk "BEGIN { print $sent / $total }"), \"text\": \"$sent sent\"}"
done
echo "$sent messages of $sender sent"
