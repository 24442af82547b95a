# Wants to be run again until its file is there.
[ -e "$1" ] && exit 0
echo '{"retry_in": 0.1}' >&3
exit 75
