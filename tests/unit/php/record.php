<?php
// Fills in what this PHP gives for every case: php record.php < recorded.json
// What is null is what PHP cannot give (no value, or one that is not UTF-8).
ini_set('precision', '-1');
ini_set('serialize_precision', '-1');
error_reporting(0);

const READABLE = JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE;

function value_of(string $json): mixed
{
    return json_decode($json, true, 512, JSON_THROW_ON_ERROR);
}

function json_of(mixed $value): ?string
{
    $json = json_encode($value, READABLE);
    return $json === false ? null : $json;
}

$functions = [
    'http_build_query' => fn (string $json) => http_build_query(value_of($json)),
    'parse_str' => function (string $text) {
        parse_str($text, $found);
        return json_of($found);
    },
    'serialize' => fn (string $json) => serialize(value_of($json)),
    'unserialize' => function (string $text) {
        $value = unserialize($text, ['allowed_classes' => false]);
        return $value === false && $text !== 'b:0;' ? null : json_of($value);
    },
];

$recorded = json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR);
$recorded['php'] = PHP_VERSION;
foreach ($functions as $name => $function) {
    foreach ($recorded[$name] as $given => $_) {
        $recorded[$name][$given] = $function((string) $given);
    }
}
echo json_encode($recorded, READABLE | JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR), "\n";
