# Uploads of contacts that are damaged, endless, slow or given up half-way: the audience is as it was, or has just the good lines.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

use POSIX ();
use Socket ();
use Time::HiRes qw(sleep time);

# what an upload of these bytes as CSV says: created, duplicates, invalid, then line:code of what is told
sub upload {
    my ($a, $bytes, %more) = @_;
    my $audience = $a->audience(contacts => []);
    my $r = $a->post("/audiences/$audience->{id}/contacts", $bytes, 'Content-Type' => $more{type} // 'text/csv');
    return join ' ', $r->status, $r->codes if $r->status != 201;
    return join ' ', @{ $r->data }{qw(created duplicates invalid)}, map { "$_->{line}:$_->{code}" } @{ $r->data->{errors} };
}

sub contacts { my ($a, $audience) = @_; $a->get("/audiences/$audience->{id}/contacts")->body }

# bytes of memory of the one worker's own
sub memory {
    open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/nginx.pid" or die "nginx.pid: $!";
    chomp(my $master = <$in>);
    my ($worker) = split ' ', `pgrep -P $master`;
    open $in, '<', "/proc/$worker/status" or die "status: $!";
    my ($kb) = join('', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
    return $kb << 10;
}

# a connection on which these bytes were sent
sub begun {
    my ($bytes) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{TEST_NGINX_SERVER_PORT}) or die "connect: $!";
    syswrite $socket, $bytes or die "write: $!";
    return $socket;
}

# the head of an upload of n bytes, and its first bytes
sub part {
    my ($a, $path, $type, $n, $bytes) = @_;
    return request(POST => "/v1$path", [$a->header, "Content-Type: $type", "Content-Length: $n"]) . $bytes;
}

# so many MiB; sanitizers keep freed memory
sub room { $ENV{TEST_NGINX_BINARY} =~ /sanitize/ ? 256 << 20 : $_[0] << 20 }

# a worker short of connections closes those that say nothing yet
workers(1);
worker_connections(2048);

run_tests();

__DATA__

=== TEST 1: a damaged line is told by its number and code, the others are kept
--- check
my $a = account();
my %said = (
    "number\r\n15550000001\r\n" => '1 0 0',
    "\xef\xbb\xbfnumber\n15550000001\n" => '1 0 0',
    "number,first_name\r\n15550000001,\"two\r\nlines\"\r\n15550000002,x" => '2 0 0',
    "number\n1555\0000001\n15550000002\n" => '1 0 1 2:1365',
    "number,first_name\n15550000001,\xff\xfe\n15550000002,\xc3\xa9\n" => '1 0 1 2:1365',
    "number,first_name\n15550000001,a\"b\n15550000002,x\n" => '1 0 1 2:1365',
    "number,first_name\n15550000001,x\n15550000002,\"open\n15550000003,x\n" => '1 0 1 3:1365',
    "number,first_name\n\n\n15550000001,x\nx,y\n" => '1 0 1 5:1354',
    "number\n" . ',' x 1_000_000 . "\n15550000001\n" => '1 0 1 2:1365',
    "number;first_name\n15550000001;x\n" => '400 1353',
    "number,number\n15550000001,15550000001\n" => '400 1353',
    '' => '400 1007',
    "number\n" => '400 1007',
);
is(upload($a, $_), $said{$_}, substr json($_), 0, 70) for sort keys %said;
is($a->get('/audiences?page_size=1')->status, 200, 'it goes on');


=== TEST 2: a line of 10 MB costs no memory
--- check
my $a = account();
upload($a, "number\n15550000001\n") for 1 .. 3;
my $before = memory();
is(upload($a, "number,first_name\n15550000001,\"" . 'x' x 10_000_000 . "\"\n15550000002,x\n"), '1 0 1 2:1365', 'a cell');
is(upload($a, "number,first_name\n15550000002,x\n15550000001,\"" . "x\n" x 5_000_000), '1 0 1 3:1365', 'a cell that never ends');
is(upload($a, '{"number":"15550000001","first_name":"' . 'x' x 10_000_000 . "\"}\n{\"number\":\"15550000002\"}", type => 'application/x-ndjson'),
   '1 0 1 1:1365', 'a line of NDJSON');
is(upload($a, 'x' x 10_000_000 . "\n15550000001\n"), '400 1353', 'a header row');
cmp_ok(memory() - $before, '<', room(2), 'memory');


=== TEST 3: a client that gives up in the middle leaves the audience as it was
--- check
my $a = account();
my $audience = $a->audience(contacts => [{ number => '15551234567' }]);
my $path = "/audiences/$audience->{id}/contacts";
my $shown = contacts($a, $audience);
my $lines = join '', map { sprintf "1555%07d\n", $_ } 1 .. 20000;

for my $strict ('', '?strict=true') {
    close begun(part($a, $path . $strict, 'text/csv', 10_000_000, "number\n$lines"));
    close begun(part($a, $path . $strict, 'application/x-ndjson', 10_000_000, join '', map { "{\"number\":\"$_\"}\n" } split /\n/, $lines));
    close begun(part($a, $path . $strict, 'application/json', 10_000_000, '{"data":[{"number":"15550000001"},'));
    close begun(request(POST => "/v1$path$strict", [$a->header, 'Content-Type: text/csv', 'Transfer-Encoding: chunked'])
                . "b\r\nnumber\n1555\r\n7\r\n0000001\r\n");
}
is(contacts($a, $audience), $shown, 'nothing was added');
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 1, 'nor counted');

# all but the last byte of a body that would be good
my $socket = begun(part($a, $path, 'text/csv', 1 + length "number\n$lines", "number\n$lines"));
sleep 0.2;
is(contacts($a, $audience), $shown, 'nothing is there before the end');
syswrite $socket, "\n";
like(scalar <$socket>, qr/ 201 /, 'then all is');
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 20001, 'and counted');


=== TEST 4: clients that send a byte now and then hold nothing up
--- check
my $a = account();
my $audience = $a->audience(contacts => [{ number => '15551234567' }]);
my $path = "/audiences/$audience->{id}/contacts";

my $many = POSIX::sysconf(POSIX::_SC_OPEN_MAX()) > 1200 ? 1 : 0.5;              # a thousand, if this machine has the descriptors
my @slow = map { begun(part($a, $path, 'text/csv', 1000, "number\n1555")) } 1 .. 600 * $many;
push @slow, map { begun("POST /v1$path HTTP/1.1\r\nHost: local") } 1 .. 250 * $many;
push @slow, map { begun(part($a, '/audiences', 'application/json', 1000, '{"data":')) } 1 .. 150 * $many;
for my $round (1 .. 3) {
    syswrite $_, '0' for @slow;
    my $from = time;
    answered($a->post($path, { number => "1555123000$round" }), 201, 'another client writes');
    answered($a->get($path), 200, 'and reads');
    cmp_ok(time - $from, '<', 2, 'at once');
}
my $size = -s store_dir() . '/data.mdb';
my $c = $a->get($path)->data->[0];
for (1 .. 200) { my $r = $a->put("$path/$c->{id}", { first_name => "n$_" }); die $r->body if $r->status != 200 }
cmp_ok(-s store_dir() . '/data.mdb', '<', $size + (2 << 20), 'no snapshot is held: the pages of the store are used again');
close $_ for @slow;
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 4, 'and none of theirs was added');


=== TEST 5: an upload byte by byte is the same as in one piece
--- check
my $a = account();
my $audience = $a->audience(contacts => []);
my $path = "/audiences/$audience->{id}/contacts";
my $body = "\xef\xbb\xbfnumber,first_name\r\n15550000001,\"a\"\"b\r\nc\"\r\nbad,x\r\n+15550000002,'=x\r\n";
my $r = wire(request(POST => "/v1$path", [$a->header, 'Content-Type: text/csv', 'Content-Length: ' . length $body]), split //, $body);
is(join(' ', $r->status, @{ $r->data }{qw(created invalid)}, $r->data->{errors}[0]{line}), '201 2 1 4', 'taken');
is_deeply([map { [@$_{qw(number first_name)}] } @{ $a->get($path)->data }], [['15550000001', "a\"b\r\nc"], ['15550000002', '=x']], 'contacts');


=== TEST 6: tags are a column, one a line
--- check
my $a = account();
my $audience = $a->audience(contacts => []);
my $path = "/audiences/$audience->{id}/contacts";
my $r = $a->post($path, join("\r\n", 'number,tags', '15550000001,one', "15550000002,\"one\r\n\ntwo\n\"", '15550000003,', '15550000004,' . 'x' x 46,
                                     '15550000005,"' . join("\n", 1 .. 11) . '"', "15550000006,a\x01b", "15550000007,'\@x"), 'Content-Type' => 'text/csv');
answered($r, 201, 'taken');
is_deeply([map { "$_->{line}:$_->{code}" } @{ $r->data->{errors} }], ['8:1365', '9:1359', '20:1365'], 'too long, too many, no text');
is_deeply([map { $_->{tags} } @{ $a->get($path)->data }], [['one'], ['one', 'two'], [], ['@x']], 'tags');
