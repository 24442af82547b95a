# A child, a grandchild, and a daemon in a session of its own; none of them minds TERM.
trap '' TERM
sleep 3600 &
sh -c 'sleep 3600 & wait' &
setsid --fork sh -c 'sleep 3600 & wait'
wait
