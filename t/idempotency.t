# Idempotency-Key: a POST is carried out once, and a repeat gets the answer of the first.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(sleep);

# an API whose connections the kernel spreads over the workers
my $spread = $ENV{TEST_NGINX_SERVER_PORT} + 3;

$Campaign::HttpConfig = <<"END";
server {
    listen 127.0.0.1:$spread reuseport;
    location /v1/ { campaign_api; }
    location = /pid { return 200 \$pid; }
}
END

use constant JSON => 'Content-Type: application/json';

my $keys = 0;
sub key { 'key-' . ++$keys }

# the same answer, said to be a repeat
sub replayed {
    my ($r, $first, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply([$r->status, $r->body, $r->header('idempotency-replayed')], [$first->status, $first->body, 'true'], $title);
}

sub total { $_[0]->get("/$_[1]?page_size=1")->page->{total} }

# a connection to one of the workers
sub connection {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $_[0] // $spread, Timeout => 5) or die "connect: $!";
    return $s;
}

# the one answer to bytes written to a connection, until the server closes
sub answer {
    my $s = shift;
    local $/;
    my $in = <$s>;
    return Campaign::Answer->take(\$in, 0, 1);
}

run_tests();

__DATA__

=== TEST 1: a repeat gets the status and body of the first, and makes nothing
--- check
my $a = account();
my $key = key();
my @post = ('/templates', { text => 'Hello', channel => 'SMS' }, 'Idempotency-Key' => $key);
my $first = $a->post(@post);
answered($first, 201, 'created');
is($first->header('idempotency-replayed'), undef, 'by the first request');
replayed($a->post(@post), $first, 'repeated');
replayed($a->post(@post[0, 1], 'idempotency-KEY' => qq("$key")), $first, 'the key may be quoted, its header written as one likes');
is(total($a, 'templates'), 1, 'one is there');
answered($a->post(@post[0, 1]), 201, 'without a key another one is made');
answered($a->post(@post[0, 1], 'Idempotency-Key' => key()), 201, 'with another key too');
is(total($a, 'templates'), 3, 'three are there');


=== TEST 2: each kind of object is made once
--- check
my $a = account();
$a->sender(name => 'Acme');
my %kind = (senders => { name => 'Other', channel => 'SMS' }, templates => { text => 'Hello {first_name}', channel => 'SMS' },
            audiences => { name => 'mine', channel => 'SMS', contacts => [{ number => '15551234567' }] },
            campaigns => { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567'], schedule => '2100-01-01 00:00:00' });
for my $kind (sort keys %kind) {
    my $key = key();
    my $before = total($a, $kind);
    my $first = $a->post("/$kind", $kind{$kind}, 'Idempotency-Key' => $key);
    answered($first, 201, $kind);
    is_deeply($a->get("/$kind/" . $first->data->{id})->data, $first->data, 'the answer is the object');
    replayed($a->post("/$kind", $kind{$kind}, 'Idempotency-Key' => $key), $first, 'repeated');
    is(total($a, $kind), $before + 1, 'one more is there');
}


=== TEST 3: a key with another request is refused, and changes nothing
--- check
my $a = account();
my $key = key();
my $body = '{"data":{"text":"Hello","channel":"SMS"}}';
my $first = $a->post('/templates', $body, 'Idempotency-Key' => $key);
answered($first, 201, 'created');
refused($a->post('/templates', "$body ", 'Idempotency-Key' => $key), 409, 1012, 'one byte more');
refused($a->post('/templates', '{', 'Idempotency-Key' => $key), 409, 1012, 'another body, broken');
refused($a->post('/templates?x=1', $body, 'Idempotency-Key' => $key), 409, 1012, 'another query');
refused($a->post('/senders', $body, 'Idempotency-Key' => $key), 409, 1012, 'another path');
refused($a->post('/templates', $body, 'Idempotency-Key' => $key, 'Content-Type' => 'text/plain'), 409, 1012, 'another type');
replayed($a->post('/templates', $body, 'Idempotency-Key' => $key), $first, 'the first one is still known');
is(total($a, 'templates'), 1, 'one is there');


=== TEST 4: a key has 1 to 255 printable characters
--- check
my $a = account();
my $n = 0;
for my $key ('a b', '!"#~', 'x' x 255, '"' . 'y' x 255 . '"', '"a\\"b\\\\c"', '""x""' =~ s/""/'/gr) {
    answered($a->post('/templates', { text => 'Hello', channel => 'SMS' }, 'Idempotency-Key' => $key), 201, substr $key, 0, 20);
    $n++;
}
for my $key ('', 'x' x 256, '"' . 'x' x 256 . '"', '""', '"', '"open', '"a"b"', '"a\\b"', '"a\\"', "a\tb", "\xc3\xa4", "a\x7f") {
    my $r = wire(request(POST => '/v1/templates', [$a->header, JSON, "Idempotency-Key: $key"], '{"data":{"text":"Hello","channel":"SMS"}}'));
    refused($r, 400, 1009, json(substr $key, 0, 20));
    like(($r->messages)[0], qr/Idempotency-Key/, 'and the message names the header');
}
is(total($a, 'templates'), $n, 'only the good ones made something');


=== TEST 5: a refusal is kept, whenever it was found, to its timestamp
--- check
my $a = account();
$a->sender(name => 'Acme');
my %case = (
    'broken JSON' => [400, ['/senders', '{']],
    'wrong fields' => [400, ['/senders', {}]],
    'wrong type' => [415, ['/senders', 'x', 'Content-Type' => 'text/plain']],
    'encoded' => [415, ['/senders', '{}', 'Content-Encoding' => 'gzip']],
    'taken name' => [409, ['/senders', { name => 'Acme', channel => 'SMS' }]],
    'no such audience' => [404, ['/audiences/00000000-0000-4000-8000-000000000000/contacts', { number => '15551234567' }]],
    'no such template' => [400, ['/campaigns', { from => 'Acme', channel => 'SMS', to => ['15551234567'], template => '00000000-0000-4000-8000-000000000000' }]],
    'header row' => [400, ['/audiences/00000000-0000-4000-8000-000000000000/contacts', "name\nx\n", 'Content-Type' => 'text/csv']],
);
my %first = map { my ($path, $body, @h) = @{ $case{$_}[1] }; $_ => $a->post($path, $body, @h, 'Idempotency-Key' => "4xx $_") } keys %case;
sleep 1.1;
for my $title (sort keys %case) {
    my ($path, $body, @h) = @{ $case{$title}[1] };
    is($first{$title}->status, $case{$title}[0], $title);
    replayed($a->post($path, $body, @h, 'Idempotency-Key' => "4xx $title"), $first{$title}, 'repeated');
}
answered($a->post('/senders', { name => 'Acme2', channel => 'SMS' }, 'Idempotency-Key' => 'mended'), 201, 'the mended request has another key');


=== TEST 6: the answer stays what it was, whatever became of the object
--- check
my $a = account();
$a->sender();
my @post = ('/campaigns', { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567'], schedule => '2100-01-01 00:00:00' }, 'Idempotency-Key' => key());
my $first = $a->post(@post);
my $id = $first->data->{id};
answered($a->put("/campaigns/$id", { name => 'renamed' }), 200, 'renamed');
replayed($a->post(@post), $first, 'repeated');
answered($a->put("/campaigns/$id", { status => 'canceled' }), 200, 'canceled');
replayed($a->post(@post), $first, 'repeated');
answered($a->delete("/campaigns/$id"), 204, 'deleted');
replayed($a->post(@post), $first, 'repeated');
is(total($a, 'campaigns'), 0, 'it is not made again');


=== TEST 7: a key is its account's own
--- check
my ($a, $b) = (account(), account());
my @post = ('/templates', { text => 'Hello', channel => 'SMS' }, 'Idempotency-Key' => 'the same');
my ($one, $two) = ($a->post(@post), $b->post(@post));
answered($two, 201, "another account's");
is($two->header('idempotency-replayed'), undef, 'is no repeat');
isnt($one->data->{id}, $two->data->{id}, 'and makes another object');
answered($b->post('/templates', { text => 'Bye', channel => 'SMS' }, 'Idempotency-Key' => 'other'), 201, 'nothing of it is told');
refused($b->post('/templates', { text => 'Other', channel => 'SMS' }, 'Idempotency-Key' => 'the same'), 409, 1012, 'each has its own request');


=== TEST 8: other methods, and the administration, take no notice of it
--- check
my $a = account();
my $t = $a->template();
$a->sender();
my $c = $a->campaign();
answered($a->get('/templates', 'Idempotency-Key' => '"'), 200, 'GET') for 1, 2;
for my $name ('one', 'two') {
    my $r = $a->put("/campaigns/$c->{id}", { name => $name }, 'Idempotency-Key' => 'put');
    is_deeply([$r->status, $r->data->{name}], [200, $name], 'PUT');
}
my @made = map { admin()->post('/accounts', { name => "idem $_ " . time, rate => 1 }, 'Idempotency-Key' => 'admin') } 1, 2;
is_deeply([map { $_->status } @made], [201, 201], 'administration');
isnt($made[0]->data->{api_key}, $made[1]->data->{api_key}, 'no API key is kept to be shown twice');
refused(nobody()->post('/templates', {}, 'Idempotency-Key' => 'x'), 401, 1001, 'without an API key');
refused($a->post('/nothing', {}, 'Idempotency-Key' => 'x'), 404, 1004, 'a path that is none');


=== TEST 9: an upload is taken once, as JSON, CSV or NDJSON
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $path = "/audiences/$list->{id}/contacts";
my $csv = join '', "number,first_name\n", (map { 15550000000 + $_ . ",n$_\n" } 1 .. 30000), "bad,line\n";
my $first = $a->post($path, $csv, 'Content-Type' => 'text/csv', 'Idempotency-Key' => 'csv');
is_deeply([@{ $first->data }{qw(created duplicates invalid)}], [30000, 0, 1], 'CSV');
replayed($a->post($path, $csv, 'Content-Type' => 'text/csv', 'Idempotency-Key' => 'csv'), $first, 'repeated: no duplicates are counted');
(my $other = $csv) =~ s/n29999\b/n29998/;
refused($a->post($path, $other, 'Content-Type' => 'text/csv', 'Idempotency-Key' => 'csv'), 409, 1012, 'one byte of it is another');
my $chunked = request(POST => "/v1$path", [$a->header, 'Content-Type: text/csv', 'Idempotency-Key: csv', 'Transfer-Encoding: chunked']);
replayed(wire($chunked, (map { sprintf "%x\r\n%s\r\n", length $_, $_ } $csv =~ /(.{1,9000})/gs), "0\r\n\r\n"), $first, 'in other pieces it is the same');
my $nd = join '', map { json({ number => '' . (15560000000 + $_) }) . "\n" } 1 .. 10;
$first = $a->post($path, $nd, 'Content-Type' => 'application/x-ndjson', 'Idempotency-Key' => 'nd');
is($first->data->{created}, 10, 'NDJSON');
replayed($a->post($path, $nd, 'Content-Type' => 'application/x-ndjson', 'Idempotency-Key' => 'nd'), $first, 'repeated');
$first = $a->post($path, { number => '15570000000' }, 'Idempotency-Key' => 'one');
answered($first, 201, 'one contact');
replayed($a->post($path, { number => '15570000000' }, 'Idempotency-Key' => 'one'), $first, 'repeated: it does not exist already');
$first = $a->post("$path?strict=true", $csv, 'Content-Type' => 'text/csv', 'Idempotency-Key' => 'strict');
is($first->status, 400, 'strict');
replayed($a->post("$path?strict=true", $csv, 'Content-Type' => 'text/csv', 'Idempotency-Key' => 'strict'), $first, 'repeated');
is($a->get("/audiences/$list->{id}")->data->{contacts_count}, 30011, 'all are there once');


=== TEST 10: while the first is still running a twin is told so, whichever worker it comes to
--- check
my $a = account();
my $body = '{"data":{"text":"Hello","channel":"SMS"}}';
my $bytes = request(POST => '/v1/templates', [$a->header, JSON, 'Idempotency-Key: slow', 'Connection: close'], $body);
my $slow = connection();
my $half = length($bytes) - 10;
syswrite $slow, substr $bytes, 0, $half;
my (%pids, @twins);
wait_for {
    my $probe = connection();
    print $probe "GET /pid HTTP/1.0\r\n\r\n";
    my $pid = answer($probe)->body;
    my $twin = connection();
    print $twin $bytes;
    push @twins, answer($twin);
    $pids{$pid} = 1;
    return keys %pids == 2 && @twins >= 16;
};
is(scalar keys %pids, 2, 'both workers were asked');
my @running = grep { $_->status == 409 } @twins;
is(scalar @running, scalar @twins, 'all twins are told') or diag json([map { $_->status } @twins]);
refused($running[0], 409, 1015, 'that it is still running');
is($running[0]->header('retry-after'), '1', 'and when to come again');
is($running[0]->header('idempotency-replayed'), undef, 'which is no repeat');
syswrite $slow, substr $bytes, $half;
my $first = answer($slow);
answered($first, 201, 'the first ends');
replayed($a->post('/templates', $body, 'Idempotency-Key' => 'slow'), $first, 'and is repeated then');
is(total($a, 'templates'), 1, 'one is there');


=== TEST 11: a client that goes away frees its key
--- check
my $a = account();
my $body = '{"data":{"text":"Hello","channel":"SMS"}}';
my $bytes = request(POST => '/v1/templates', [$a->header, JSON, 'Idempotency-Key: gone', 'Connection: close'], $body);
my $gone = connection();
syswrite $gone, substr $bytes, 0, length($bytes) - 10;
ok(wait_for(sub { $a->post('/templates', $body, 'Idempotency-Key' => 'gone2')->status == 201 }), 'another key is not concerned');
close $gone;
my $r;
ok(wait_for(sub { ($r = $a->post('/templates', $body, 'Idempotency-Key' => 'gone'))->status == 201 }), 'the key is free');
is(total($a, 'templates'), 2, 'its request was never carried out');


=== TEST 12: sixteen twins at once make one object, and in the end all have its answer
--- check
my $a = account();
$a->sender();
my @to = map { '' . (15550000000 + $_) } 1 .. 2000;
my %count;
for my $round (1 .. 12) {
    my $body = json({ data => { from => 'Acme', channel => 'SMS', text => "Hello $round", to => \@to, schedule => '2100-01-01 00:00:00' } });
    my $bytes = request(POST => '/v1/campaigns', [$a->header, JSON, "Idempotency-Key: round-$round", 'Connection: close'], $body);
    my @sockets = map { connection() } 1 .. 16;
    my $last = substr $bytes, -1, 1, '';
    print $_ $bytes and $_->flush for @sockets;
    print $_ $last and $_->flush for @sockets;
    my @r = map { answer($_) } @sockets;
    my %status;
    $status{ $_->status }++ for @r;
    my %bodies = map { $_->body => 1 } grep { $_->status == 201 } @r;
    $count{$_} += $status{$_} for keys %status;
    my $final = $a->post('/campaigns', $body, 'Idempotency-Key' => "round-$round");
    my $fault = join ' ', grep { $_ } (keys(%bodies) == 1 ? '' : 'bodies ' . keys %bodies), (grep { $_ != 201 && $_ != 409 } keys %status),
        ($final->status == 201 ? '' : 'then ' . $final->status), (exists $bodies{ $final->body } ? '' : 'another body'),
        (grep { $_->status == 409 && ($_->codes)[0] != 1015 } @r) ? 'code' : '';
    is($fault, '', "round $round");
}
is(total($a, 'campaigns'), 12, 'an object a round');
diag('answers: ' . json(\%count));
