# What no log may hold: keys, secrets, texts.  And that guessing a key is cheap for the server.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(time);

$Campaign::Config = <<'END';
location /small/v1/ {
    client_max_body_size 1k;
    campaign_api;
}
END

sub canary { 'canary7Qx' }

sub logs {
    my $text = '';
    for my $file (glob "$ENV{TEST_NGINX_SERVROOT}/logs/*") {
        open my $in, '<', $file or next;
        local $/;
        $text .= <$in> // '';
    }
    return $text;
}

# resident memory of all workers, in MiB
sub memory {
    open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/nginx.pid" or die "no pid: $!";
    my ($master) = <$in> =~ /(\d+)/;
    my $sum = 0;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $s, '<', $stat or next;
        my @f = (<$s> // '') =~ /\A\d+ \(.*\) \S (\d+) (?:\S+ ){19}(\d+)/s or next;
        $sum += $f[1] * 4096 / 1048576 if $f[0] == $master;
    }
    return $sum;
}

run_tests();

__DATA__

=== TEST 1: no key, secret, text or name of a client is in a log, whatever goes wrong
--- check
my $canary = canary();
my $a = account();
my $key = $a->key;
$a->sender();
my @headers = ('Idempotency-Key' => "$canary-idempotency");
$a->post('/templates', { text => "$canary text", channel => 'SMS' }, @headers) for 1, 2;
$a->post('/templates', { text => "$canary {broken", channel => 'SMS' });
$a->post('/templates', qq({"data":{"text":"$canary json"));
$a->post('/templates', qq({"data":{"text":"$canary twice","text":"$canary twice"}}));
$a->post('/templates', qq("$canary"), 'Content-Type' => "text/$canary");
$a->post('/templates', { text => "$canary other", channel => 'SMS' }, @headers);
$a->campaign(text => "$canary campaign", payload => "$canary payload", to => [{ number => '15551234567', first_name => "$canary name" }]);
my $l = $a->audience(name => "$canary list", contacts => []);
$a->post("/audiences/$l->{id}/contacts", "number,first_name\nx$canary,$canary\n15551234567,$canary\n", 'Content-Type' => 'text/csv');
nobody("$canary-guess")->get('/senders');
nobody($canary x 100)->get('/senders');
wire(request(POST => '/small/v1/templates', [$a->header], '{"data":{"text":"' . $canary x 500 . '"}}'));
wire(request(POST => '/v1/templates', [$a->header, 'Transfer-Encoding: chunked', "Idempotency-Key: $canary-chunk"], "zz$canary\r\n"));
my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{TEST_NGINX_SERVER_PORT}) or die "connect: $!";
print $s substr request(POST => '/v1/templates', [$a->header], qq({"data":{"text":"$canary cut"}})), 0, -3;
close $s;
answered($a->get('/senders'), 200, 'the server goes on');
my @held = grep { /\Q$canary\E|\Q$key\E/ } split /\n/, logs();
is(scalar @held, 0, 'no line holds any') or diag join "\n", map { substr $_, 0, 300 } @held[0 .. ($#held > 4 ? 4 : $#held)];


=== TEST 2: an API key is shown once
--- check
my $made = admin()->post('/accounts', { name => 'once ' . time, rate => 1 })->data;
my $key = $made->{api_key};
my $all = join '', map { $_->body } admin()->get("/accounts/$made->{id}"), admin()->get('/accounts?page_size=100'),
    admin()->put("/accounts/$made->{id}", { rate => 2 }), nobody($key)->get('/senders');
unlike($all, qr/\Q$key\E|api_key/, 'no later reply has it');
my $store = '';
for my $file (glob store_dir() . '/*') {
    open my $in, '<:raw', $file or next;
    local $/ = \1048576;
    while (my $piece = <$in>) { $store .= 'x' if index($piece, $key) >= 0 }
}
is($store, '', 'and the store has not');


=== TEST 3: guessing keys costs little, and makes no entry in the error log
--- check
my $a = account();
my $before = -s "$ENV{TEST_NGINX_SERVROOT}/logs/error.log";
my $bytes = join '', map { request(GET => '/v1/senders', ["X-Dexatel-Key: guess-$_-" . 'x' x 20]) } 1 .. 500;
my $at = time;
my @r = wire({ answers => 500 }, $bytes);
my $took = time - $at;
is(scalar(grep { $_->status == 401 } @r), 500, 'all are 401');
cmp_ok($took, '<', 5, 'in no time');
diag(sprintf '%.0f us each, the client included', $took / 500 * 1e6);
my $log = logs();
unlike($log, qr/guess-/, 'none of them is in a log');
answered($a->get('/senders'), 200, 'a good key is still good');


=== TEST 4: JSON bombs cost no memory to speak of, and nobody waits for them
--- check
my $a = account();
my @bombs = ('[' x 900_000, '[' . '{},' x 300_000 . '{}]', '{"a":' x 150_000, '{"data":{"name":' . '9' x 900_000 . '}}', '{"data":{' . join(',', map { qq("k$_":$_) } 1 .. 60_000) . '}}',
             '[' . '0,' x 450_000 . '0]');
my $before = memory();
my (@wrong, $most);
for my $bomb (@bombs) {
    my $r = $a->post('/senders', $bomb);
    push @wrong, substr($bomb, 0, 10) . ': ' . $r->status if $r->status != 400 && $r->status != 413;
    my $at = time;
    $a->get('/senders?page_size=1');
    my $took = time - $at;
    $most = $took if !defined $most || $took > $most;
}
is_deeply(\@wrong, [], 'all are refused');
cmp_ok(memory() - $before, '<', $ENV{TEST_NGINX_BINARY} =~ /sanitize/ ? 256 : 64, 'memory');       # sanitizers keep freed memory
cmp_ok($most, '<', 1, 'another request');
diag(sprintf 'memory %+.1f MiB, slowest other request %.1f ms', memory() - $before, $most * 1000);
