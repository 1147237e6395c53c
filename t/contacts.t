# Contacts of an audience: one, a list, lines of CSV and NDJSON as they stream in, pages.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

# lines of a file to be uploaded; numbers from 15500000001
sub numbers { join '', map { 15500000000 + $_ . "\n" } $_[0] .. $_[1] }

# an upload's answer as created, duplicates, invalid, lines and codes told
sub told {
    my $d = shift->data;
    return join ' ', @$d{qw(created duplicates invalid)}, map { "$_->{line}:$_->{code}" } @{ $d->{errors} };
}

sub csv { my ($client, $audience, $body, $query) = @_; $client->post("/audiences/$audience->{id}/contacts" . ($query // ''), $body, 'Content-Type' => 'text/csv') }
sub ndjson { my ($client, $audience, $body, $query) = @_; $client->post("/audiences/$audience->{id}/contacts" . ($query // ''), $body, 'Content-Type' => 'application/x-ndjson') }
sub stored { my ($client, $audience) = @_; join ' ', map { $_->{number} } @{ $client->get("/audiences/$audience->{id}/contacts?page_size=100")->data } }

run_tests();

__DATA__

=== TEST 1: a contact is shown as the contract has it
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my %given = (first_name => 'Ann', last_name => "O\x{2019}Neill", custom1 => '10:30', custom2 => "two\nlines", tags => ['vip', 'é']);
my $r = $a->post("/audiences/$list->{id}/contacts", { number => '+15551234567', %given });
answered($r, 201, 'created');
my $c = $r->data;
like($c->{id}, uuid(), 'id');
is_deeply({ map { $_ => $c->{$_} } 'number', keys %given }, { number => '15551234567', %given }, 'fields; the + is dropped');
is_deeply($c->{links}, { self => "/v1/audiences/$list->{id}/contacts/$c->{id}", audience => "/v1/audiences/$list->{id}" }, 'links');
is_deeply($a->get($c->{links}{self})->data, $c, 'read back it is the same');
is_deeply($a->get("/audiences/$list->{id}/contacts")->data, [$c], 'in the list too');
is($a->get("/audiences/$list->{id}")->data->{contacts_count}, 1, 'and the audience counts it');


=== TEST 2: a number alone is a contact, its other fields are empty; older names of fields are known
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $c = $a->post("/audiences/$list->{id}/contacts", { number => '1234567', first_name => undef, tags => [] })->data;
is_deeply([@$c{qw(number first_name last_name custom1 custom2 tags)}], ['1234567', undef, undef, undef, undef, []], 'empty');
$c = $a->post("/audiences/$list->{id}/contacts", { number => '123456789012345', timestamp => '10:30', date => '1 May' })->data;
is_deeply([@$c{qw(number custom1 custom2)}], ['123456789012345', '10:30', '1 May'], 'timestamp and date');


=== TEST 3: all wrong fields of a contact come in one reply
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $path = "/audiences/$list->{id}/contacts";
my %long = (first_name => 'é' x 33, last_name => 'x' x 33, custom1 => 'x' x 33, custom2 => 'x' x 71, tags => [1 .. 11]);
refused($a->post($path, \%long), 400, [1353, 1359, 1361, 1362, 1363, 1364], 'all');
my %fits = (first_name => 'é' x 32, last_name => 'x' x 32, custom1 => 'x' x 32, custom2 => "\x{1F600}" x 70, tags => [map { "tag $_" } 1 .. 10]);
answered($a->post($path, { number => '15551234567', %fits }), 201, 'the longest that fit');
for ('0555123456', '123456', '1234567890123456', '1 555 123', '++15551234', '1555123456x', 15551234567, ['15551234567'], '+') {
    refused($a->post($path, { number => $_ }), 400, 1354, 'number ' . json($_));
}
refused($a->post($path, { number => '1' x 46 }), 400, 1355, 'number of 46 characters');
refused($a->post($path, { number => $_ }), 400, 1353, 'number ' . json($_)) for '', undef;
refused($a->post($path, { number => '15551230000', tags => $_ }), 400, 1365, 'tags ' . json($_)) for 'vip', [1], [''], ['x' x 46], {};
refused($a->post($path, { number => '15551230000', first_name => $_ }), 400, 1365, 'first name ' . json($_)) for 5, ['x'], "\x{1f}";
is($a->get("/audiences/$list->{id}")->data->{contacts_count}, 1, 'none of them was created');


=== TEST 4: a number stands once in an audience
--- check
my $a = account();
my ($list, $other) = map { $a->audience(contacts => []) } 1, 2;
answered($a->post("/audiences/$list->{id}/contacts", { number => '15551234567' }), 201, 'first');
refused($a->post("/audiences/$list->{id}/contacts", { number => '+15551234567' }), 409, 1360, 'once more');
answered($a->post("/audiences/$other->{id}/contacts", { number => '15551234567' }), 201, 'in another audience');
is($a->get("/audiences/$list->{id}")->data->{contacts_count}, 1, 'it is counted once');


=== TEST 5: contacts that are not there
--- check
my $a = account();
my ($list, $other) = map { $a->audience() } 1, 2;
my $c = $a->get("/audiences/$list->{id}/contacts")->data->[0];
my $none = '00000000-0000-4000-8000-000000000000';
refused($a->get("/audiences/$list->{id}/contacts/$none"), 404, 1351, 'unknown');
refused($a->get("/audiences/$other->{id}/contacts/$c->{id}"), 404, 1351, "another audience's");
refused($a->get("/audiences/$none/contacts/$c->{id}"), 404, 1351, 'of an unknown audience');
refused($a->get("/audiences/$list->{id}/contacts/x"), 400, 1352, 'no UUID');
refused($a->get("/audiences/x/contacts/$c->{id}"), 400, 1302, 'audience no UUID');
refused($a->get("/audiences/$none/contacts"), 404, 1301, 'list of an unknown audience');
refused($a->post("/audiences/$none/contacts", { number => '15551234567' }), 404, 1301, 'into an unknown audience');
refused(csv($a, { id => $none }, "number\n15551234567\n"), 404, 1301, 'lines into an unknown audience');


=== TEST 6: a list of contacts is taken as a whole
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $path = "/audiences/$list->{id}/contacts";
my $r = $a->post($path, [{ number => '15551234561', first_name => 'Ann' }, { number => '+15551234562' }, { number => '15551234561' }]);
answered($r, 201, 'three, one twice');
is_deeply($r->data, { created => 2, duplicates => 1, invalid => 0, errors => [] }, 'counted');
is(told($a->post($path, [{ number => '15551234562' }, { number => '15551234563' }])), '1 1 0', 'one is there already');
$r = $a->post($path, [{ number => '15551234564' }, { number => 'x' }, { number => '15551234565' }, {}]);
refused($r, 400, [1353, 1354], 'two are bad');
is_deeply([sort map { /(\[\d+\])/ } $r->messages], ['[1]', '[3]'], 'the messages say which');
is(scalar($a->post($path, [map { { number => "x$_" } } 1 .. 50])->errors), 10, 'of many bad ones ten are told');
is(stored($a, $list), '15551234561 15551234562 15551234563', 'nothing of a refused list is kept');
refused($a->post($path, []), 400, 1007, 'an empty list');
refused($a->post($path, [map { { number => 15550000000 + $_ . '' } } 1 .. 1001]), 400, 1308, '1001 contacts');
is(told($a->post($path, [map { { number => 15550000000 + $_ . '' } } 1 .. 1000])), '1000 0 0', '1000 contacts');


=== TEST 7: CSV by RFC 4180: columns in any order, unknown ones ignored, quotes, CRLF, BOM
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $r = csv($a, $list, "\xef\xbb\xbfcity,Last_Name,NUMBER,first_name\r\n\"Bern, CH\",\"O\"\"Neill\",+15551234567,\"Ann\r\nMary\"\r\n\r\nX,,15551234568,\xc3\xa9");
answered($r, 201, 'taken');
is_deeply($r->data, { created => 2, duplicates => 0, invalid => 0, errors => [] }, 'counted');
my @c = @{ $a->get("/audiences/$list->{id}/contacts")->data };
is_deeply([map { [@$_{qw(number first_name last_name)}] } @c], [['15551234567', "Ann\r\nMary", 'O"Neill'], ['15551234568', 'é', undef]], 'fields');


=== TEST 8: bad lines of CSV are counted and told by line, the good ones are kept
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $long = 'x' x 33;
my $r = csv($a, $list, "number,first_name\n15551234561,Ann\nx,Bob\n,Cid\n\n15551234562,\"two\nlines\"\n15551234563,$long\n15551234561,Ann\n15551234564,\"a\"b\n15551234565,\xff\n0551234567,\n15551234566");
answered($r, 201, 'taken');
is(told($r), '3 1 6 3:1354 4:1353 8:1361 10:1365 11:1365 12:1354', 'counts, lines and codes');
is(scalar(grep { $_->{message} ne '' } @{ $r->data->{errors} }), 6, 'each with a message');
is(stored($a, $list), '15551234561 15551234562 15551234566', 'the good ones, the last without a line feed');


=== TEST 9: of many bad lines all are counted and the first 100 told
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $r = csv($a, $list, "number\n" . "bad\n" x 250 . "15551234567\n");
is($r->data->{invalid}, 250, 'counted');
is(scalar @{ $r->data->{errors} }, 100, 'told');
is($r->data->{errors}[99]{line}, 101, 'the last one told');
is($r->data->{created}, 1, 'the good line after them is kept');


=== TEST 10: strict=true keeps all or nothing
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $r = csv($a, $list, "number\n15551234561\nbad\n15551234562\n\n", '?strict=true');
refused($r, 400, 1354, 'one bad line');
like(($r->messages)[0], qr/^line 3: /, 'the message names the line');
is(stored($a, $list), '', 'nothing is kept');
is(told(csv($a, $list, "number\n15551234561\n15551234561\n", '?strict=TRUE')), '1 1 0', 'a double is no bad line');
is(told(csv($a, $list, "number\nbad\n15551234562\n", '?strict=false')), '1 0 1 2:1354', 'strict=false is as if left out');
refused(ndjson($a, $list, qq({"number":"15551234569"}\n{\n), '?strict=true'), 400, 1005, 'NDJSON');
is(stored($a, $list), '15551234561 15551234562', 'so two are there');


=== TEST 11: a header row without one column for the number is refused
--- check
my $a = account();
my $list = $a->audience(contacts => []);
refused(csv($a, $list, "15551234561\n15551234562\n"), 400, 1353, 'no header row');
refused(csv($a, $list, "first_name,last_name\nAnn,X\n"), 400, 1353, 'no number in it');
refused(csv($a, $list, "number,Number\n15551234561,15551234562\n"), 400, 1353, 'two of them');
refused(csv($a, $list, $_), 400, 1007, 'no line: ' . json($_)) for '', "\n\r\n", "number\n", "\xef\xbb\xbf";
is(stored($a, $list), '', 'nothing is kept');


=== TEST 12: NDJSON, a contact a line
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $r = ndjson($a, $list, join "\n", '{"number":"15551234561","first_name":"Ann","tags":["vip"]}', '', '{"number":"15551234561"}', '{"number":',
               '{"number":"15551234562","number":"15551234563"}', "{\"number\":\"15551234562\"}\r", '[]', '{}', '{"number":"x"}', '{"number":"15551234564","date":"1 May"}');
answered($r, 201, 'taken');
is(told($r), '3 1 5 4:1005 5:1005 7:1354 8:1353 9:1354', 'counts, lines and codes');
is(stored($a, $list), '15551234561 15551234562 15551234564', 'the good ones');
my @c = @{ $a->get("/audiences/$list->{id}/contacts")->data };
is_deeply([$c[0]{first_name}, $c[0]{tags}, $c[2]{custom2}], ['Ann', ['vip'], '1 May'], 'with their fields');
refused(ndjson($a, $list, ''), 400, 1007, 'nothing at all');


=== TEST 13: a line that is too long is a bad line, the next one is good
--- check
my $a = account();
my $list = $a->audience(contacts => []);
is(told(csv($a, $list, "number,city\n15551234561," . 'x' x 9000 . "\n15551234562,x\n")), '1 0 1 2:1365', 'CSV');
is(told(csv($a, $list, "number,city\n15551234563,\"" . "x\n" x 5000 . "\"\n15551234564,x\n")), '1 0 1 2:1365', 'CSV, in quotes');
is(told(ndjson($a, $list, '{"number":"15551234565","x":"' . 'x' x 9000 . "\"}\n{\"number\":\"15551234566\"}\n")), '1 0 1 1:1365', 'NDJSON');
is(stored($a, $list), '15551234562 15551234564 15551234566', 'the good ones');


=== TEST 14: lines are the same in whatever pieces they arrive
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $body = "\xef\xbb\xbfnumber,first_name\r\n15551234561,\"A\"\"n\r\nn\"\r\n15551234562,\xc3\xa9\r\nbad\r\n15551234563,";
my @headers = ($a->header, 'Content-Type: text/csv', 'Transfer-Encoding: chunked');
my @pieces = (request(POST => "/v1/audiences/$list->{id}/contacts", \@headers), map { sprintf "1\r\n%s\r\n", $_ } split //, $body);
my $r = wire(@pieces, "0\r\n\r\n");
answered($r, 201, 'a byte a chunk, a chunk a packet');
is(told($r), '3 0 1 5:1354', 'counts, lines and codes');
is($a->get("/audiences/$list->{id}/contacts")->data->[0]{first_name}, "A\"n\r\nn", 'a cell cut everywhere');


=== TEST 15: 100000 lines of CSV are taken, one more is refused and nothing kept
--- check
my $a = account();
my ($list, $big) = map { $a->audience(contacts => []) } 1, 2;
my $r = csv($a, $list, "number\n" . numbers(1, 100001));
refused($r, 409, 1311, '100001 lines');
is($a->get("/audiences/$list->{id}")->data->{contacts_count}, 0, 'nothing kept');
is(told(csv($a, $big, "number\n" . numbers(1, 100000))), '100000 0 0', '100000 lines');
is($a->get("/audiences/$big->{id}")->data->{contacts_count}, 100000, 'are counted');
refused($a->post("/audiences/$big->{id}/contacts", { number => '15551234567' }), 409, 1311, 'the audience is full');
refused(csv($a, $big, "number\n15551234567\n"), 409, 1311, 'for lines too');
is(told(csv($a, $big, "number\n15500000001\n")), '0 1 0', 'a number that is there already does not count');
is(told(csv($a, $list, "number\n" . numbers(1, 99999) . "bad\n")), '99999 0 1 100001:1354', 'a bad line is a line');


=== TEST 16: 100000 lines of NDJSON are taken
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $body = join '', map { sprintf qq({"number":"%d","first_name":"n%d"}\n), 15500000000 + $_, $_ } 1 .. 100000;
is(told(ndjson($a, $list, $body)), '100000 0 0', 'all');
is($a->get("/audiences/$list->{id}/contacts?page_size=1")->page->{total}, 100000, 'are there');


=== TEST 17: contacts are listed oldest first, page by page, forwards and back
--- check
my $a = account();
my ($list, $other) = map { $a->audience(contacts => []) } 1, 2;
csv($a, $list, "number\n" . numbers(1, 250));
csv($a, $other, "number\n" . numbers(1, 250));
my $path = "/audiences/$list->{id}/contacts";
my ($r, @pages, @seen);
for ($r = $a->get("$path?page_size=100"); ; $r = $a->get($r->page->{links}{next})) {
    push @pages, join ' ', @{ $r->page }{qw(number size total)};
    push @seen, map { $_->{number} } @{ $r->data };
    last if !$r->page->{links}{next};
}
is_deeply(\@pages, ['1 100 250', '2 100 250', '3 50 250'], 'pages');
is_deeply(\@seen, [map { 15500000000 + $_ . '' } 1 .. 250], 'each number once, in order');
$r = $a->get($r->page->{links}{previous});
is($r->page->{number}, 2, 'back to the second');
is($r->data->[0]{number}, '15500000101', 'it begins where it began');
$r = $a->get($r->page->{links}{previous});
is($r->data->[0]{number}, '15500000001', 'and to the first');
is($r->page->{links}{previous}, undef, 'nothing before it');
my ($token) = $r->page->{links}{next} =~ /page_token=(.+)/;
refused($a->get("/audiences/$other->{id}/contacts?page_size=100&page_token=$token"), 400, 1009, 'a token of another audience');


=== TEST 18: a body of another type is refused
--- check
my $a = account();
my $list = $a->audience(contacts => []);
my $path = "/audiences/$list->{id}/contacts";
my $r = $a->post($path, "number\n15551234567\n", 'Content-Type' => 'text/plain');
refused($r, 415, 1006, 'text/plain');
like(($r->messages)[0], qr{application/json, text/csv}, 'the message names those that are taken');
refused($a->post('/audiences', "number\n15551234567\n", 'Content-Type' => 'text/csv'), 415, 1006, 'lines where none are taken');
is(told($a->post($path, "number\n15551234567\n", 'Content-Type' => 'Text/CSV; charset=utf-8')), '1 0 0', 'any case, with a parameter');


=== TEST 19: what is wrong with a contact is told by its field, and how to mend it
--- check
my $a = account();
$a->sender;
my $list = $a->audience(contacts => []);
my $at = "/audiences/$list->{id}/contacts";
my $text = 'is invalid: a text of up to 32 characters, none of them a control character';
my %wrong = (first_name => ['x' x 33, 1361, 'is too long: at most 32 characters'], last_name => [5, 1365, $text], custom1 => ["a\x01", 1365, $text],
             timestamp => ['x' x 33, 1363, 'is too long: at most 32 characters'], custom2 => ['x' x 71, 1364, 'is too long: at most 70 characters'],
             tags => [['x' x 46], 1365, 'is invalid: up to 10 texts of 1 to 45 characters'], number => ['12', 1354, 'is invalid: 7 to 15 digits, the first one not 0']);
for my $field (sort keys %wrong) {
    my ($value, $code, $says) = @{ $wrong{$field} };
    my %contact = (number => '15550000001', $field => $value);
    my $r = $a->post($at, \%contact);
    refused($r, 400, $code, "one contact: $field");
    is(($r->messages)[0], "'data.$field' $says", 'and its mend');
    $r = $a->post($at, [{ number => '15550000002' }, \%contact]);
    refused($r, 400, $code, 'in a list');
    is(($r->messages)[0], "'data[1].$field' $says", 'and where');
    $r = $a->post('/audiences', { name => 'bad', channel => 'SMS', contacts => [\%contact] });
    is(join('|', $r->messages), "'data.contacts[0].$field' $says", 'of an audience');
    $r = $a->post('/campaigns', { from => 'Acme', channel => 'SMS', text => 'Hi', to => ['15550000003', \%contact] });
    is(join('|', $r->codes, $r->messages), "1618|'data.to[1].$field' $says", 'of a campaign');
    $r = $a->post($at, json(\%contact) . "\n", 'Content-Type' => 'application/x-ndjson');
    is_deeply($r->data->{errors}, [{ line => 1, code => $code, message => "'$field' $says" }], 'of a line of NDJSON');
    next if ref $value || $value eq '5';
    $r = $a->post($at, ($field eq 'number' ? "number\n$value\n" : "number,$field\n15550000004,$value\n"), 'Content-Type' => 'text/csv');
    is_deeply($r->data->{errors}, [{ line => 2, code => $code, message => "'$field' $says" }], 'of a row of CSV');
}
my $r = $a->post('/campaigns', { from => 'Acme', channel => 'SMS', text => 'Hi', to => ['15550000003', '12', { first_name => 'Ann' }] });
is(join('|', $r->messages), "'data.to[1]' is invalid: 7 to 15 digits, the first one not 0|'data.to[2].number' is required", 'a number, and one that is missing');
$r = $a->post("$at?strict=true", "number,first_name\n15550000005,Ann\n15550000006,@{[ 'x' x 33 ]}\n", 'Content-Type' => 'text/csv');
is(($r->messages)[0], "line 3: 'first_name' is too long: at most 32 characters", 'of a strict upload');
$r = $a->post($at, "number,city\n15550000007,\"a\"b\n", 'Content-Type' => 'text/csv');
is($r->data->{errors}[0]{message}, 'line can not be read: longer than 8 KB, more than 64 cells, or with a quote out of place', 'of a line that has no fields');
