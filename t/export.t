# Exports: all contacts of an audience as CSV or NDJSON, streamed; an import reads them back.

use lib 't/lib';
use Campaign;
use Campaign::Chance qw(seed);
use Test::Nginx::Socket 'no_plan';

use Socket ();
use Time::HiRes qw(sleep time);

# rows of CSV (RFC 4180), read by a reader of its own
sub csv {
    my ($text) = @_;
    my @rows = ([]);
    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\z)/gc) {
        my ($quoted, $cell, $end) = ($1, $2, $3);
        $cell = $quoted =~ s/""/"/gr if defined $quoted;
        push @{ $rows[-1] }, $cell;
        push @rows, [] if $end eq "\r\n";
        last if $end eq '' || $end eq "\r\n" && pos $text == length $text;
    }
    pop @rows if @{ $rows[-1] } == 0;
    return \@rows;
}

# the contacts of an audience without what names it, by number
sub contacts {
    my ($a, $audience) = @_;
    my @all;
    my $path = "/audiences/$audience->{id}/contacts?page_size=100";
    while ($path) {
        my $r = $a->get($path);
        push @all, @{ $r->data };
        $path = $r->page->{links}{next};
    }
    delete @$_{qw(id links)} for @all;
    return \@all;
}

sub odd {
    return (
        { number => '15550000001', first_name => '=1+1', last_name => '+44', custom1 => '-1', custom2 => '@SUM(A1)' },
        { number => '15550000002', first_name => "\tTab", last_name => "\rCR", custom1 => "'=x", custom2 => "''+y" },
        { number => '15550000003', first_name => "O'Neil", last_name => "'quoted'", custom1 => '"=1"', custom2 => 'a,b' },
        { number => '15550000004', first_name => "two\nlines", last_name => "two\r\nlines", custom1 => '"', custom2 => '""' },
        { number => '15550000005', first_name => "\x{4e16}\x{1f600}", tags => ['=tag', "a'b", 'c,d', '"'] },
        { number => '15550000006', tags => ['one'] },
        { number => '15550000007' },
    );
}

# an audience of n contacts, about 90 bytes each
sub many {
    my ($a, $n) = @_;
    my $audience = $a->audience(contacts => []);
    my $csv = join "\r\n", 'number,first_name,last_name,custom2', (map { sprintf '1555%07d,first %d,last,%s', $_, $_, 'x' x 60 } 1 .. $n), '';
    my $r = $a->post("/audiences/$audience->{id}/contacts", $csv, 'Content-Type' => 'text/csv');
    die $r->body if $r->status != 201 || $r->data->{created} != $n;
    return $audience;
}

# the one worker
sub worker {
    open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/nginx.pid" or die "nginx.pid: $!";
    chomp(my $master = <$in>);
    my ($worker) = split ' ', `pgrep -P $master`;
    return $worker;
}

# bytes of memory of its own
sub memory {
    open my $in, '<', "/proc/$_[0]/status" or die "status: $!";
    my ($kb) = join('', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
    return $kb << 10;
}

# a client that has the beginning of an export, and reads no further
sub stalled {
    my ($a, $list) = @_;
    socket my $socket, Socket::PF_INET(), Socket::SOCK_STREAM(), 0 or die "socket: $!";
    setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 4096;
    connect $socket, Socket::pack_sockaddr_in($ENV{TEST_NGINX_SERVER_PORT}, Socket::inet_aton('127.0.0.1')) or die "connect: $!";
    syswrite $socket, request(GET => "/v1$list", [$a->header, 'Accept: text/csv', 'Connection: close']) or die "write: $!";
    my $got = '';
    sysread $socket, $got, 12 or die "read: $!";
    $got eq 'HTTP/1.1 200' or die "got $got";
    sleep 0.3;                                  # the server writes until it cannot
    return $socket;
}

# so many MiB; sanitizers keep freed memory
sub room { $ENV{TEST_NGINX_BINARY} =~ /sanitize/ ? 256 << 20 : $_[0] << 20 }

# requests that are under way together are the one worker's
workers(1);

run_tests();

__DATA__

=== TEST 1: contacts as CSV: a header row, one row a contact, oldest first
--- check
my $a = account();
my $audience = $a->audience(contacts => [{ number => '+15551234567', first_name => 'Ann' }, { number => '15551234568', custom1 => 'a "b", c' }]);
my $r = $a->get("/audiences/$audience->{id}/contacts", Accept => 'text/csv');
answered($r, 200, 'exported');
is($r->header('content-type'), 'text/csv; charset=utf-8', 'type');
is($r->header('content-disposition'), 'attachment; filename="contacts.csv"', 'a name to save it under');
is($r->body, qq{number,first_name,last_name,custom1,custom2,tags\r\n15551234567,Ann,,,,\r\n15551234568,,,"a ""b"", c",,\r\n}, 'body');


=== TEST 2: contacts as NDJSON: a line is what the list shows
--- check
my $a = account();
my $audience = $a->audience(contacts => [odd()]);
my $r = $a->get("/audiences/$audience->{id}/contacts", Accept => 'application/x-ndjson');
answered($r, 200, 'exported');
is($r->header('content-type'), 'application/x-ndjson', 'type');
my @lines = map { JSON::PP->new->utf8->decode($_) } split /\n/, $r->body;
is_deeply(\@lines, $a->get("/audiences/$audience->{id}/contacts")->data, 'lines');


=== TEST 3: what a spreadsheet would execute is quoted, and an import reads back the same contacts
--- check
my $a = account();
my @odd = odd();
my $audience = $a->audience(contacts => \@odd);
my $export = $a->get("/audiences/$audience->{id}/contacts", Accept => 'text/csv')->body;
my $rows = csv($export);
is(scalar @$rows, 1 + @odd, 'a row each');
is_deeply([@{ $rows->[1] }[1 .. 4]], ["'=1+1", "'+44", "'-1", "'\@SUM(A1)"], 'formulas');
is_deeply([@{ $rows->[2] }[1 .. 4]], ["'\tTab", "'\rCR", "''=x", "'''+y"], 'tab, CR, and what looks like a quoted formula');
is_deeply([@{ $rows->[3] }[1 .. 4]], ["O'Neil", "'quoted'", '"=1"', 'a,b'], 'other cells are as they are');
is((grep { /\A[=+\-@\t\r]/ } map { @$_ } @$rows), 0, 'no cell begins with a formula');

for my $type ('text/csv', 'application/x-ndjson') {
    my $copy = $a->audience(contacts => []);
    my $bytes = $a->get("/audiences/$audience->{id}/contacts", Accept => $type)->body;
    my $r = $a->post("/audiences/$copy->{id}/contacts", $bytes, 'Content-Type' => $type);
    answered($r, 201, "$type is imported");
    is_deeply([@{ $r->data }{qw(created duplicates invalid)}], [scalar @odd, 0, 0], 'all of it');
    is_deeply(contacts($a, $copy), contacts($a, $audience), 'the same contacts');
}


=== TEST 4: raw=true leaves formulas as they are
--- check
my $a = account();
my $audience = $a->audience(contacts => [odd()]);
my $rows = csv($a->get("/audiences/$audience->{id}/contacts?raw=true", Accept => 'text/csv')->body);
is_deeply([@{ $rows->[1] }[1 .. 4]], ['=1+1', '+44', '-1', '@SUM(A1)'], 'formulas');
is_deeply([@{ $rows->[2] }[1 .. 4]], ["\tTab", "\rCR", "'=x", "''+y"], 'and the others');


=== TEST 5: Accept chooses the form by quality
--- check
my $a = account();
my $audience = $a->audience();
my %type = ('application/json' => 'application/json', '*/*' => 'application/json', 'text/html' => 'application/json',
            'text/CSV' => 'text/csv; charset=utf-8', 'text/csv, */*;q=0.1' => 'text/csv; charset=utf-8',
            'text/csv;q=0.5, application/json' => 'application/json', 'application/x-ndjson;q=0.9,text/csv;q=0.8' => 'application/x-ndjson',
            'text/csv;q=0' => 'application/json', 'text/csv;header=present;q=0.2,application/json; q=0.1' => 'text/csv; charset=utf-8');
is($a->get("/audiences/$audience->{id}/contacts", Accept => $_)->header('content-type'), $type{$_}, $_) for sort keys %type;


=== TEST 6: an export of nothing, HEAD, errors in their envelope
--- check
my $a = account();
my $audience = $a->audience(contacts => []);
my $path = "/audiences/$audience->{id}/contacts";
is($a->get($path, Accept => 'text/csv')->body, "number,first_name,last_name,custom1,custom2,tags\r\n", 'the header row alone');
is($a->get($path, Accept => 'application/x-ndjson')->body, '', 'nothing');
my $r = $a->head($path, Accept => 'text/csv');
answered($r, 200, 'HEAD');
is($r->header('content-type'), 'text/csv; charset=utf-8', 'its type');
refused($a->get('/audiences/00000000-0000-4000-8000-000000000000/contacts', Accept => 'text/csv'), 404, 1301, 'no such audience');
refused(account()->get($path, Accept => 'text/csv'), 404, 1301, "another account's");
refused(nobody()->get($path, Accept => 'text/csv'), 401, 1001, 'without a key');


=== TEST 7: random contacts come back from an export as they were
--- check
srand seed();
my @letters = ('=', '+', '-', '@', "\t", "\r", "\n", "'", '"', ',', ';', ' ', 'a', 'Z', '0', "\x{e4}", "\x{20ac}", "\x{1f600}", '|', '{');
my $word = sub { join '', map { $letters[rand @letters] } 1 .. rand 9 };
my @contacts = map {
    my %c = (number => 15550000000 + $_ . "");
    $c{$_} = $word->() for grep { rand() < 0.7 } qw(first_name last_name custom1 custom2);
    $c{tags} = [grep { /./ } map { $word->() =~ tr/\t\r\n//dr } 1 .. rand 5] if rand() < 0.5;
    \%c;
} 1 .. 300;
my $a = account();
my $audience = $a->audience(contacts => \@contacts);
my $list = "/audiences/$audience->{id}/contacts";
my $stored = contacts($a, $audience);
is(scalar @$stored, 300, 'stored');

my $rows = csv($a->get($list, Accept => 'text/csv')->body);
shift @$rows;
is(scalar @$rows, 300, 'a row each');
is((grep { /\A[=+\-@\t\r]/ } map { @$_ } @$rows), 0, 'no formula');

for my $type ('text/csv', 'application/x-ndjson') {
    my $copy = $a->audience(contacts => []);
    answered($a->post("/audiences/$copy->{id}/contacts", $a->get($list, Accept => $type)->body, 'Content-Type' => $type), 201, $type);
    is_deeply(contacts($a, $copy), $stored, "$type: the same");
}


=== TEST 8: 100 000 contacts: other requests are answered meanwhile, and memory does not grow
--- check
my $a = account();
my $list = '/audiences/' . many($a, 100000)->{id} . '/contacts';
my $worker = worker();
my $before = memory($worker);

my $reader = open(my $in, '-|') // die "fork: $!";
if (!$reader) {
    my $r = $a->get($list, Accept => 'text/csv');
    print $r->status, ' ', ($r->body =~ tr/\n//), ' ', length $r->body;
    close STDOUT;
    require POSIX;
    POSIX::_exit(0);
}

my $pings = 0;
while (1) {
    my $ready = '';
    vec($ready, fileno $in, 1) = 1;
    last if select $ready, undef, undef, 0;
    $pings++ if wire(request(GET => '/ready'))->status == 204;
}
my ($status, $lines, $bytes) = split / /, <$in>;
close $in;
is("$status $lines", '200 100001', 'exported');
cmp_ok($bytes, '>', 9_000_000, 'some megabytes');
cmp_ok($pings, '>=', 5, "$pings requests were answered by the same worker meanwhile");
cmp_ok(memory($worker) - $before, '<', room(4), 'memory');


=== TEST 9: a client that does not read holds up neither others nor the store
--- check
my $a = account();
my $list = '/audiences/' . many($a, 100000)->{id} . '/contacts';
my $worker = worker();
my $before = memory($worker);

my $slow = stalled($a, $list);
my $c = $a->get("$list?page_size=1")->data->[0];
answered($a->put("$list/$c->{id}", { first_name => "n$_" }), 200, "write $_") for 1 .. 20;
my $size = -s store_dir() . '/data.mdb';
for (1 .. 200) { my $r = $a->put("$list/$c->{id}", { first_name => "n$_" }); die $r->body if $r->status != 200 }
cmp_ok(-s store_dir() . '/data.mdb', '<', $size + (2 << 20), 'pages of the store are used again: no snapshot is held');
cmp_ok(memory($worker) - $before, '<', room(6), 'memory');

my $all = 'HTTP/1.1 200';
1 while sysread $slow, $all, 1 << 20, length $all;
like($all, qr/\r\n0\r\n\r\n\z/, 'it is sent to its end');
$all =~ s/\A.*?\r\n\r\n//s;
my $body = '';
while ($all =~ s/\A([0-9a-f]+)\r\n//i) { $body .= substr $all, 0, hex $1, ''; $all =~ s/\A\r\n// }
is($body =~ tr/\n//, 100001, 'with all rows');


=== TEST 10: an export whose audience goes away is cut off, a client that goes away is forgotten
--- check
my $a = account();
my $audience = many($a, 100000);
my $list = "/audiences/$audience->{id}/contacts";

close stalled($a, $list) for 1 .. 3;
my $slow = stalled($a, $list);
answered($a->delete("/audiences/$audience->{id}"), 204, 'deleted meanwhile');
my $all = 'HTTP/1.1 200';
1 while sysread $slow, $all, 1 << 20, length $all;
like($all, qr/\A[^\r]* 200 /, 'it had begun');
unlike($all, qr/\r\n0\r\n\r\n\z/, 'and has no end');
refused($a->get($list, Accept => 'text/csv'), 404, 1301, 'the next one does not begin');


=== TEST 11: an export through limit_rate and gzip is the same
--- config
location /slow/ {
    limit_rate 20m;
    campaign_api;
}

location /small/ {
    gzip on;
    gzip_types text/csv application/x-ndjson;
    campaign_api;
}
--- check
my $a = account();
my $path = '/audiences/' . many($a, 30000)->{id} . '/contacts';
require IO::Uncompress::Gunzip;
for my $type ('text/csv', 'application/x-ndjson') {
    my $plain = $a->get($path, Accept => $type)->body;
    my $get = sub { wire({ closed => 1 }, request(GET => "$_[0]$path", [$a->header, "Accept: $type", 'Accept-Encoding: gzip', 'Connection: close'])) };

    my $r = $get->('/slow');
    my $same = $r->body =~ s{/slow/}{/v1/}gr eq $plain;
    ok($same, "$type: limit_rate");

    $r = $get->('/small');
    is($r->header('content-encoding'), 'gzip', "$type: gzip");
    IO::Uncompress::Gunzip::gunzip(\($r->body) => \my $all) or die 'gunzip';
    $same = $all =~ s{/small/}{/v1/}gr eq $plain;
    ok($same, "$type: the same");
    cmp_ok(length $r->body, '<', length($plain) / 2, "$type: and smaller");
}
