# What goes wrong before a resource is asked: paths, methods, bodies, nginx's own errors, and that a connection survives them.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

$Campaign::HttpConfig = <<'END';
limit_req_zone $server_name zone=server:1m rate=1r/m;
END

$Campaign::Config = <<'END';
location /small/v1/ {
    client_max_body_size 1k;
    campaign_api;
}

# every way in which nginx may hold a body
location /tight/v1/ {
    client_body_buffer_size 1;
    client_body_in_file_only on;
    client_body_in_single_buffer on;
    campaign_api;
}

location /limited/v1/ {
    limit_req zone=server;
    limit_req_status 429;
    campaign_api;
}

location /denied/v1/ {
    deny all;
    campaign_api;
}

location /guarded/admin/ {
    auth_basic "closed";
    auth_basic_user_file nobody;
    campaign_admin;
}

location /fallback/v1/ {
    deny all;
    error_page 403 /fallback.html;
    campaign_api;
}

location = /fallback.html {
    return 403 "the operator's page";
}

location /nested/ {
    location /nested/v1 {
        campaign_api;
    }
}
END

# what nginx itself may answer, and the contract's code for it
my %status = (400 => 1019, 401 => 1018, 402 => 1019, 403 => 1017, 404 => 1004, 405 => 1013, 409 => 1019, 413 => 1008, 415 => 1006, 429 => 1010, 451 => 1019,
              500 => 1000, 502 => 1000, 503 => 1011, 504 => 1000, 507 => 1014);

$Campaign::Config .= "location /status/$_/v1/ { return $_; campaign_api; }\n" for sort keys %status;

sub statuses { %status }

# a POST as bytes, to be sent piece by piece
sub post { my ($client, $path, $body, @headers) = @_; request(POST => $path, [$client->header, @headers], $body) }

# the GET that shows whether a connection is still in step
sub check { request(GET => '/v1/senders?page_size=7', [shift->header]) }

sub in_step { my ($r, $title) = @_; ok($r && $r->status == 200 && $r->page->{links}{current} =~ /page_size=7/, "$title: the next request is answered") }

run_tests();

__DATA__

=== TEST 1: a path that is none is 404
--- check
my $a = account();
refused($a->get($_), 404, 1004, $_) for '/', '/nothing', '/senders/1/2', '/campaigns/1/nothing', '/audiences/1/contacts/2/3', '/Senders', '/sender', '/senders/1/x';
refused($a->post('/nothing', '{'), 404, 1004, 'before the body is looked at');
refused(admin()->get('/nothing'), 404, 1004, 'administration');
answered($a->get('/senders/'), 200, 'a slash at the end does no harm');
answered($a->get('/%73enders'), 200, 'nor does an encoded letter');
answered($a->get('/x/../senders'), 200, 'nor a way back');


=== TEST 2: a method that a path does not know is 405 with Allow
--- check
my $a = account();
my %allow = ('/senders' => 'GET, HEAD, POST, OPTIONS', '/senders/x' => 'GET, HEAD, DELETE, OPTIONS', '/campaigns/x' => 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS',
             '/audiences/x/contacts' => 'GET, HEAD, POST, OPTIONS');
for my $path (sort keys %allow) {
    my $r = $a->call(($path =~ /campaigns/ ? 'POST' : 'PUT'), $path, {});
    refused($r, 405, 1013, $path);
    is($r->header('allow'), $allow{$path}, 'Allow');
}
refused($a->call($_ => '/senders'), 405, 1013, $_) for qw(DELETE PROPFIND MKCOL LOCK);
my $r = $a->call(BREW => '/senders');
refused($r, 405, 1013, 'a method of nobody') if $r->status == 405;
ok($r->status == 405 || $r->status == 400, 'a method of nobody is refused');


=== TEST 3: OPTIONS tells the methods, without a key
--- check
my $r = nobody()->options('/campaigns/x');
answered($r, 204, 'OPTIONS');
is($r->header('allow'), 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS', 'Allow');
is($r->body // '', '', 'no body');
is(admin()->options('/accounts')->header('allow'), 'GET, HEAD, POST, OPTIONS', 'administration');
refused(nobody()->options('/nothing'), 404, 1004, 'of a path that is none');


=== TEST 4: HEAD is GET without a body
--- check
my $a = account();
my $get = $a->get('/senders');
my $head = $a->head('/senders');
answered($head, 200, 'HEAD');
is($head->header($_), $get->header($_), $_) for qw(content-type content-length);
is($head->body // '', '', 'no body');
is($a->head('/nothing')->status, 404, 'an error');
my ($one, $two) = wire({ answers => 2, head => 1 }, (request(HEAD => '/v1/senders', [$a->header])) x 2);
is_deeply([$one->status, $two && $two->status], [200, 200], 'two on one connection: nothing follows the header');


=== TEST 5: what is no JSON is refused with its place
--- check
my $a = account();
my %place = ('{' => 'line 1, column 1', "{\n\"data\": {\"name\": Acme}}" => 'line 2', '{"data":{}} x' => 'line 1, column 1', "\xef\xbb\xbf{}" => 'line 1',
             "{'data':{}}" => 'line 1', '{"data":{"name":"a" "b"}}' => 'line 1', '{"data":{"name":1e999}}' => 'line 1');
for my $body (sort keys %place) {
    my $r = $a->post('/senders', $body);
    refused($r, 400, 1005, json($body));
    like(($r->messages)[0], qr/\Q$place{$body}\E/, 'with its place');
}
refused($a->post('/senders', qq({"data":{"name":"$_","channel":"SMS"}})), 400, 1005, 'no UTF-8: ' . unpack 'H*', $_)
    for "\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82";
refused($a->post('/senders', '{"data":{"name":"\ud800","channel":"SMS"}}'), 400, 1005, 'half a surrogate pair');
refused($a->post('/senders', '{"data":{"name":"A","name":"B","channel":"SMS"}}'), 400, 1005, 'a key twice');
refused($a->post('/senders', '{"data":{},"data":{"name":"B","channel":"SMS"}}'), 400, 1005, 'data twice');
is($a->get('/senders')->page->{total}, 0, 'nothing was created');


=== TEST 6: a body without data is refused
--- check
my $a = account();
refused($a->post('/senders', $_), 400, 1007, json($_)) for '', '{}', '[]', '{"data":null}', '{"data":[]}', '{"data":"x"}', '{"Data":{}}', '[{"data":{}}]';
refused($a->post('/senders'), 400, 1007, 'no body at all');
refused($a->post('/senders', '   '), 400, 1005, 'blanks');


=== TEST 7: another media type or encoding is 415
--- check
my $a = account();
my $body = '{"data":{"name":"Acme","channel":"SMS"}}';
refused($a->post('/senders', $body, 'Content-Type' => $_), 415, 1006, $_)
    for 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'application', 'multipart/form-data; boundary=x';
refused($a->post('/senders', $body, 'Content-Encoding' => $_), 415, 1006, "encoding $_") for 'gzip', 'deflate', 'br', 'identity, gzip';
answered($a->post('/senders', $body, 'Content-Type' => 'Application/JSON ; charset=utf-8', 'Content-Encoding' => 'Identity'), 201, 'any case, with a parameter');
my $r = wire(post($a, '/v1/senders', '{"data":{"name":"Other","channel":"SMS"}}'));
answered($r, 201, 'no type is JSON');


=== TEST 8: JSON that would grow is refused before it is built
--- check
my $a = account();
my %bomb = ('a deep one' => '[' x 100000, 'a deep one of objects' => '{"a":' x 50000, 'a wide one' => '[' . '{},' x 300000 . '{}]',
            'many values' => '[' . '1,' x 1600000 . '1]', 'a deep one that is closed' => '[' x 17 . ']' x 17);
refused($a->post('/senders', $bomb{$_}), 400, 1005, $_) for sort keys %bomb;
refused($a->post('/senders', '{"data":{"name":"' . '[' x 20 . '","channel":"SMS"}}'), 400, 1154, 'brackets in a string are no bomb');
refused($a->post('/senders', '{"data":{"name":"\"' . '{' x 20 . '","channel":"SMS"}}'), 400, 1154, 'nor after an escaped quote');
answered($a->post('/senders', '{"x":' . '[' x 15 . ']' x 15 . ',"data":{"name":"Acme","channel":"SMS"}}'), 201, '16 levels are not deep');


=== TEST 9: a body over client_max_body_size is 413
--- check
my $a = account();
my $body = '{"data":{"name":"' . 'x' x 2000 . '","channel":"SMS"}}';
my $r = wire(request(POST => '/small/v1/senders', [$a->header], $body));
refused($r, 413, 1008, 'with Content-Length');
is(($r->errors)[0]{path}, '/small/v1/senders', 'path');
$r = wire(request(POST => '/small/v1/senders', [$a->header, 'Content-Length: 1000000000']));
refused($r, 413, 1008, 'before a byte of it is sent');
$r = wire(request(POST => '/small/v1/senders', [$a->header, 'Transfer-Encoding: chunked']), sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body));
refused($r, 413, 1008, 'chunked');
$r = wire(request(POST => '/small/v1/senders', [$a->header, 'Transfer-Encoding: chunked']), map { sprintf "%x\r\n%s\r\n", 100, 'x' x 100 } 1 .. 20);
refused($r, 413, 1008, 'chunked, and never ended');
$r = wire(request(POST => '/small/v1/senders', [$a->header, 'Expect: 100-continue', 'Content-Length: 1000000000']));
refused($r, 413, 1008, 'a client that asks first');
answered(wire(request(POST => '/small/v1/senders', [$a->header], '{"data":{"name":"Acme","channel":"SMS"}}')), 201, 'one that fits');
like(($a->get('/senders')->data->[0]{links}{self}), qr/^\/v1\/senders/, 'links begin with the location of the request');


=== TEST 10: after an error the connection is in step, whether its body was read or not
--- check
my $a = account();
my $reader = admin()->post('/accounts/' . $a->id . '/keys', { scope => 'read' })->data->{api_key};
my $big = '{"data":{"name":"' . 'x' x 100000 . '"}}';
my @case = (
    ['no key', 401, request(POST => '/v1/senders', [], $big)],
    ['unknown key', 401, request(POST => '/v1/senders', ['X-Dexatel-Key: x'], $big)],
    ['read key', 403, request(POST => '/v1/senders', ["X-Dexatel-Key: $reader"], $big)],
    ['unknown path', 404, post($a, '/v1/nothing', $big)],
    ['wrong method', 405, request(PUT => '/v1/senders', [$a->header], $big)],
    ['no UUID', 400, request(PUT => '/v1/campaigns/x', [$a->header], $big)],
    ['wrong type', 415, post($a, '/v1/senders', $big, 'Content-Type: text/plain')],
    ['encoded', 415, post($a, '/v1/senders', $big, 'Content-Encoding: gzip')],
    ['broken JSON', 400, post($a, '/v1/senders', substr $big, 0, -1)],
    ['wrong fields', 400, post($a, '/v1/senders', $big)],
    ['body of a GET', 200, request(GET => '/v1/senders', [$a->header], $big)],
    ['body of a DELETE', 404, request(DELETE => '/v1/campaigns/00000000-0000-4000-8000-000000000000', [$a->header], $big)],
    ['chunked, no key', 401, request(POST => '/v1/senders', ['Transfer-Encoding: chunked'], sprintf("%x\r\n%s\r\n0\r\n\r\n", length $big, $big))],
    ['header row', 400, post($a, '/v1/audiences/00000000-0000-4000-8000-000000000000/contacts', "name\n" . "x\n" x 100000, 'Content-Type: text/csv')],
);
for my $case (@case) {
    my ($title, $status, $bytes) = @$case;
    my @r = wire({ answers => 2 }, $bytes . check($a));
    is($r[0] && $r[0]->status, $status, $title);
    next if $r[0] && $r[0]->header('connection') eq 'close' && $title eq 'header row';       # left in the middle of its body
    in_step($r[1], $title);
}


=== TEST 11: ten requests in one packet are answered in order
--- check
my $a = account();
my $bytes = join '', map { post($a, '/v1/senders', qq({"data":{"name":"S$_","channel":"SMS"}})) . check($a) . post($a, '/v1/senders', '{') } 1 .. 5;
my @r = wire({ answers => 15 }, $bytes);
is(join(' ', map { $_->status } @r), join(' ', (201, 200, 400) x 5), 'statuses');
is(join(' ', map { $_->data->{name} } @r[0, 3, 6, 9, 12]), 'S1 S2 S3 S4 S5', 'names');
is(join(' ', map { $_->page->{total} } @r[1, 4, 7, 10, 13]), '1 2 3 4 5', 'each sees what was done before it');


=== TEST 12: HTTP/1.0 is spoken
--- check
my $a = account();
(my $bytes = request(GET => '/v1/senders', [$a->header])) =~ s/HTTP\/1\.1/HTTP\/1.0/;
my $r = wire({ closed => 1 }, $bytes);
answered($r, 200, 'GET');
is($r->page->{total}, 0, 'body');
ok($r->closed, 'the connection is closed');
($bytes = post($a, '/v1/senders', '{')) =~ s/HTTP\/1\.1/HTTP\/1.0/;
refused(wire({ closed => 1 }, $bytes), 400, 1005, 'an error');


=== TEST 13: a body is the same in whatever pieces it arrives
--- check
my $a = account();
my $body = '{"data":{"name":"Acme","channel":"SMS"}}';
answered(wire(split //, post($a, '/v1/senders', $body)), 201, 'a byte a packet');
$body =~ s/Acme/Chunks/;
my $head = request(POST => '/v1/senders', [$a->header, 'Transfer-Encoding: chunked']);
answered(wire(split //, $head . join('', map { "1;x=y\r\n$_\r\n" } split //, $body) . "0\r\nTrailer: x\r\n\r\n"), 201, 'a byte a chunk and a packet');
is(join(' ', map { $_->{name} } @{ $a->get('/senders')->data }), 'Chunks Acme', 'both are there');

$body =~ s/Chunks/Tight/;
answered(wire(post($a, '/tight/v1/senders', $body)), 201, 'into a buffer of one byte');
my $audience = $a->audience(contacts => []);
my $lines = join '', "number\n", map { (15550000000 + $_) . "\n" } 1 .. 2000;
my $r = wire(post($a, "/tight/v1/audiences/$audience->{id}/contacts", $lines, 'Content-Type: text/csv'));
answered($r, 201, 'lines too');
is($r->data->{created}, 2000, 'all of them');
my $large = json({ data => [map { { number => 15560000000 + $_ . '', custom2 => 'x' x 70 } } 1 .. 1000] });
answered(wire(post($a, "/tight/v1/audiences/$audience->{id}/contacts", $large)), 201, 'and a body for a thread');
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 3000, 'contacts');


=== TEST 14: after a body that cannot be read nothing on its connection is taken for a request
--- check
my $a = account();
my $chunked = 'Transfer-Encoding: chunked';
my $big = sprintf "%x\r\n%s\r\n0\r\n\r\n", 2000, 'x' x 2000;
my @case = (
    ['a chunk without a length', 400, 1005, request(POST => '/v1/senders', [$a->header, $chunked], "zz\r\n")],
    ['a later one', 400, 1005, request(POST => '/v1/senders', [$a->header, $chunked], "1\r\n{\r\nzz\r\n")],
    ['chunks that are too large', 413, 1008, request(POST => '/small/v1/senders', [$a->header, $chunked], $big)],
    ['a length that is too large', 413, 1008, request(POST => '/small/v1/senders', [$a->header], 'x' x 2000)],
);
for my $case (@case) {
    my ($title, $status, $code, $bytes) = @$case;
    for my $pieces ([$bytes . check($a)], [$bytes, check($a)], [split(/(?<=\r\n\r\n)/, $bytes, 2), check($a)]) {
        my @r = wire({ answers => 2 }, @$pieces);
        refused($r[0], $status, $code, $title);
        is($r[0]->header('connection'), 'close', 'the client is told');
        is(scalar @r, 1, 'and no more is answered');
    }
}


=== TEST 15: a client that goes away in the middle harms nobody
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my @begun = (post($a, '/v1/senders', '{"data":{"name":"Gone","channel":"SMS"}}'),
             post($a, "/v1/audiences/$list->{id}/contacts", "number\n" . "15551234567\n" x 20000, 'Content-Type: text/csv'),
             post($a, '/v1/campaigns', '{"data":{"to":[' . '"15551234567",' x 20000 . '""]}}'));
for my $bytes (@begun) {
    for my $part (map { int(length($bytes) * $_ / 10) } 3 .. 9) {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{TEST_NGINX_SERVER_PORT}) or die "connect: $!";
        print $s substr $bytes, 0, $part;
        close $s;
    }
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{TEST_NGINX_SERVER_PORT}) or die "connect: $!";
    print $s $bytes;
    close $s;
}
answered($a->get('/senders'), 200, 'the server goes on');
ok($a->get("/audiences/$list->{id}")->data->{contacts_count} <= 1, 'half an upload is none');


=== TEST 16: nginx's own errors have the form of the API
--- check
my $a = account();
my $r = nobody($a->key)->get('/v1/../denied/v1/senders');
my $denied = wire(request(GET => '/denied/v1/senders?x=1', [$a->header]));
refused($denied, 403, 1017, 'deny all');
is_deeply([@{ ($denied->errors)[0] }{qw(path method)}], ['/denied/v1/senders', 'GET'], 'path and method');
my @limited = map { wire(request(GET => '/limited/v1/senders', [$a->header])) } 1 .. 2;
answered($limited[0], 200, 'one is let through');
refused($limited[1], 429, 1010, 'limit_req');
is($limited[1]->header('retry-after'), '1', 'Retry-After');
my $guarded = wire(request(GET => '/guarded/admin/accounts'));
refused($guarded, 401, 1018, 'auth_basic');
like($guarded->header('www-authenticate'), qr/^Basic/, 'WWW-Authenticate stays');
is(wire(request(GET => '/fallback/v1/senders', [$a->header]))->body, "the operator's page", "the operator's error_page is left alone");
is(wire({ head => 1 }, request(HEAD => '/denied/v1/senders'))->status, 403, 'HEAD');
my @r = wire({ answers => 2 }, request(POST => '/denied/v1/senders', [], 'x' x 50000) . check($a));
is($r[0]->status, 403, 'a body that nobody read');
in_step($r[1], 'deny all');


=== TEST 17: a location without a slash at its end serves too
--- check
my $a = account();
my $r = wire(request(GET => '/nested/v1/senders', [$a->header]));
answered($r, 200, 'GET');
like($r->page->{links}{first}, qr/^\/nested\/v1\/senders\?/, 'links begin with it');
refused(wire(request(GET => '/nested/v1senders', [$a->header])), 404, 1004, 'a path that only begins alike');
refused(wire(request(GET => '/nested/v1', [$a->header])), 404, 1004, 'the location itself');


=== TEST 18: an error tells the path as it was, escaped
--- check
my $a = account();
my $r = wire(request(GET => '/v1/%22%5C%0A%3Cb%3E%C3%A9', [$a->header]));
refused($r, 404, 1004, 'quotes, a line feed, letters');
is(($r->errors)[0]{path}, "/v1/\"\\\n<b>\x{e9}", 'path');
$r = wire(request(GET => '/v1/%FF', [$a->header]));
refused($r, 404, 1004, 'no UTF-8');
is(($r->errors)[0]{path}, '/v1/%FF', 'is told as it has to be encoded');


=== TEST 19: whatever status nginx gives by itself has a code
--- check
my $a = account();
my %status = statuses();
for my $status (sort keys %status) {
    my $r = wire(request(GET => "/status/$status/v1/senders", [$a->header]));
    refused($r, $status, $status{$status}, "return $status");
    is($r->header('retry-after'), '1', 'Retry-After') if $status =~ /\A(?:429|503|507)\z/;
}
