<?php
// Sends one message to each of its receivers. The job's param is the only argument, a query string:
//     uid=4&uids[]=6&uids[]=234&content=hi

const DATA_IS_WRONG = 65;
const TRY_AGAIN_LATER = 75;

parse_str($argv[1] ?? '', $message);
$sender = $message['uid'] ?? null;
$receivers = $message['uids'] ?? null;
$content = $message['content'] ?? null;
if (!is_uid($sender) || !is_array($receivers) || !is_string($content)
    || count(array_filter($receivers, 'is_uid')) !== count($receivers)) {
    fwrite(STDERR, "wanted: uid, uids[] and content\n");
    exit(DATA_IS_WRONG);
}

// Descriptor 3 is where qsuper listens; whoever runs this by hand has none.
$report = @fopen('php://fd/3', 'w');

// What an attempt before this one has sent is not sent again.
$sent = json_decode(getenv('QSUPER_STATE') ?: '{}', true)['sent'] ?? 0;
foreach (array_slice(array_values($receivers), $sent) as $receiver) {
    if (!send($sender, $receiver, $content)) {
        exit(TRY_AGAIN_LATER);
    }
    $sent++;
    tell($report, ['state' => ['sent' => $sent]]);
    tell($report, ['progress' => $sent / count($receivers), 'text' => "$sent sent"]);
}
echo "$sent messages of $sender sent\n";

function is_uid($value): bool
{
    return is_string($value) && ctype_digit($value);
}

// Instead of this: your mail server, your push service, your table of messages.
function send(string $sender, string $receiver, string $content): bool
{
    $line = "from $sender: $content\n";
    return file_put_contents("outbox/$receiver.txt", $line, FILE_APPEND | LOCK_EX) !== false;
}

function tell($report, array $what): void
{
    if ($report) {
        @fwrite($report, json_encode($what) . "\n");
    }
}
