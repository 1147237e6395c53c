# POST /v1/campaigns?dry_run=true: what the real call would do, and what it would say, without doing it.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(time);

$Campaign::HttpConfig = "client_max_body_size 16m;\n";

my $accounts;

sub dry { my ($account, $data, @headers) = @_; $account->post('/campaigns?dry_run=true', { from => 'Acme', channel => 'SMS', %$data }, @headers) }

sub numbers { map { '' . (15550000000 + $_) } 1 .. $_[0] }

sub total { $_[0]->get('/campaigns')->page->{total} }

run_tests();

__DATA__

=== TEST 1: a text to numbers: everything is counted and nothing stored
--- check
my $a = account(rate => 40);
$a->sender();
my $r = dry($a, { text => 'Hello', to => ['15551234567', '+15551234567', numbers(100)] });
answered($r, 200, 'dry run');
my $d = $r->data;
is_deeply([map { $_->{to} } @{ $d->{samples} }], ['15551234567', numbers(9)], 'ten samples');
is_deeply(delete($d->{samples})->[0], { to => '15551234567', text => 'Hello', segments => 1, encoding => 'GSM-7' }, 'a sample');
is_deeply($d, { recipients => 101, duplicates => 1, suppressed => 0, invalid => 0, segments => { total => 101, min => 1, max => 1 },
                encodings => { 'GSM-7' => 101, 'UCS-2' => 0 }, non_gsm => [], missing => {}, duration => 3 }, 'all of it');
is(total($a), 0, 'no campaign was made');
my $c = $a->post('/campaigns', { from => 'Acme', channel => 'SMS', name => 'mine', text => 'Hello', to => [numbers(1)], schedule => '2100-01-01 00:00:00' });
answered($c, 201, 'the real call');
is($c->data->{messages}{total}, 1, 'has nothing of the dry one');


=== TEST 2: a template to an audience is rendered for each contact
--- check
my $a = account();
$a->sender();
my $t = $a->template(text => 'Hello {first_name}, {last_name|friend}: {custom1}{custom2}');
my $l = $a->audience(contacts => [
    { number => '15550000001', first_name => 'Ann', custom1 => 'x' x 32, custom2 => 'y' x 70 },
    { number => '15550000002', last_name => 'Lee', custom2 => 'y' x 70 },
    { number => '15550000003', first_name => "\x{141}ukasz", custom1 => "\x{201c}", custom2 => "\x{1f600}" x 35 },
]);
my $d = dry($a, { template => $t->{id}, audience => $l->{id} })->data;
is_deeply([@$d{qw(recipients duplicates)}], [3, 0], 'recipients');
is_deeply($d->{missing}, { first_name => 1, custom1 => 1 }, 'values that are missing; a default is none');
is_deeply($d->{encodings}, { 'GSM-7' => 2, 'UCS-2' => 1 }, 'encodings');
is_deeply($d->{segments}, { total => 4, min => 1, max => 2 }, 'segments');
is($d->{samples}[1]{text}, 'Hello , Lee: ' . 'y' x 70, 'a sample');
is_deeply($d->{samples}[2], { to => '15550000003', text => "Hello \x{141}ukasz, friend: \x{201c}" . "\x{1f600}" x 35, segments => 2, encoding => 'UCS-2' }, 'another one');
is_deeply($d->{non_gsm}, [{ char => "\x{1f600}", code => 'U+1F600', count => 35, replacement => undef },
                          { char => "\x{141}", code => 'U+0141', count => 1, replacement => 'L' },
                          { char => "\x{201c}", code => 'U+201C', count => 1, replacement => '"' }], 'what makes it UCS-2')
    or diag json($d->{non_gsm});
answered($a->get("/audiences/$l->{id}"), 200, 'the audience is as it was');


=== TEST 3: characters that cost half a text are told with what would do instead
--- check
my $a = account();
$a->sender();
my $d = dry($a, { text => "It\x{2019}s \x{201c}open\x{201d} \x{2013} it\x{2019}s free\x{2026} \x{a0}\x{200b}\x{4f60}", to => [numbers(7)] })->data;
my %by = map { $_->{code} => [$_->{count}, $_->{replacement}] } @{ $d->{non_gsm} };
is_deeply(\%by, { 'U+2019' => [14, "'"], 'U+201C' => [7, '"'], 'U+201D' => [7, '"'], 'U+2013' => [7, '-'], 'U+2026' => [7, '...'],
                  'U+00A0' => [7, ' '], 'U+200B' => [7, ''], 'U+4F60' => [7, undef] }, 'characters');
is($d->{non_gsm}[0]{code}, 'U+2019', 'the most frequent comes first');
is_deeply(dry($a, { text => "\x{20ac}[]{{}}~^|\\ \x{e4}\x{e9}\x{394}", to => [numbers(1)] })->data->{non_gsm}, [], 'the extension table is GSM-7');


=== TEST 4: every check of the real call is made, and says the same
--- check
my ($a, $b) = (account(), account());
$a->sender();
$a->campaign(name => 'taken');
my $t = $a->template();
my $empty = $a->audience(contacts => []);
my $viber = $a->make('/templates', { text => 'x', channel => 'VIBER' });
my $foreign = $b->audience();
my $none = '00000000-0000-4000-8000-000000000000';
my %ok = (text => 'Hello', to => ['15551234567'], from => 'Acme', channel => 'SMS');
my %case = (
    'nothing' => {}, 'no sender' => { %ok, from => 'Nobody' }, 'no text' => { %ok, text => undef }, 'no recipients' => { %ok, to => undef },
    'bad number' => { %ok, to => ['15551234567', 'x'] }, 'both' => { %ok, audience => $none }, 'unknown audience' => { %ok, to => undef, audience => $none },
    'empty audience' => { %ok, to => undef, audience => $empty->{id} }, 'foreign audience' => { %ok, to => undef, audience => $foreign->{id} },
    'other channel' => { %ok, text => undef, template => $viber->{id} }, 'bad text' => { %ok, text => '{nobody}' }, 'long text' => { %ok, text => 'x' x 1001 },
    'past' => { %ok, schedule => '2001-01-01 00:00:00' }, 'no date' => { %ok, schedule => 'soon' }, 'taken name' => { %ok, name => 'taken' },
    'long name' => { %ok, name => 'x' x 46 }, 'bad channel' => { %ok, channel => 'PIGEON' }, 'bad validity' => { %ok, validity => 0 },
    'several' => { %ok, name => 'taken', from => 'Nobody' }, 'long payload' => { %ok, payload => 'x' x 501 },
);
for my $title (sort keys %case) {
    my ($dry, $real) = map { $a->post("/campaigns$_", $case{$title}) } '?dry_run=true', '';
    is_deeply([$dry->status, $dry->codes], [$real->status, $real->codes], "$title: " . join ' ', $real->status, $real->codes);
    isnt($real->status, 201, 'it is wrong');
}
refused($a->post('/campaigns?dry_run=true', '{'), 400, 1005, 'broken JSON');
refused($a->post("/campaigns?dry_run=$_", \%ok), 400, 1009, "dry_run=$_") for '1', 'yes', '';
my $reader = admin()->post('/accounts/' . $a->id . '/keys', { scope => 'read' })->data->{api_key};
refused(nobody($reader)->post('/campaigns?dry_run=true', \%ok), 403, 1016, 'a key that may only read');
is(total($a), 1, 'nothing was made');
answered($a->post('/campaigns?dry_run=false', { %ok, schedule => '2100-01-01 00:00:00' }), 201, 'dry_run=false is the real call');
answered(dry($a, { text => 'Hello', to => ['15551234567'], name => 'free' }), 200, 'a name that is free');
answered($a->campaign(name => 'free') && $a->get('/campaigns'), 200, 'is still free');


=== TEST 5: the duration is that of the account's rate
--- check
for my $case ([1000, 100, 1], [10, 100, 10], [0.5, 3, 6], [7, 100, 15], [1000000, 1, 1]) {
    my ($rate, $n, $seconds) = @$case;
    my $a = account(rate => $rate, burst => 1);
    $a->sender();
    is(dry($a, { text => 'Hello', to => [numbers($n)] })->data->{duration}, $seconds, "$n at $rate");
}


=== TEST 6: 100000 recipients take a second at most, and nobody waits for them
--- check
my $a = account();
$a->sender();
my $l = $a->audience(contacts => []);
my $csv = "number,first_name\n" . join '', map { 15550000000 + $_ . ($_ % 3 ? ",Ann$_\n" : ",\x{142}\n") } 1 .. 100000;
utf8::encode($csv);
is($a->post("/audiences/$l->{id}/contacts", $csv, 'Content-Type' => 'text/csv')->data->{created}, 100000, 'an audience');
my $text = 'Hello {first_name}, ' . 'our shop opens at nine. ' x 7;
my $at = time;
my $d = dry($a, { text => $text, audience => $l->{id} })->data;
my $took = time - $at;
is_deeply([@$d{qw(recipients encodings)}], [100000, { 'GSM-7' => 66667, 'UCS-2' => 33333 }], 'audience');
is($d->{segments}{total}, 66667 * 2 + 33333 * 3, 'segments');
cmp_ok($took, '<', 3, 'in time, on a machine that does other things too');
$at = time;
my $inline = dry($a, { text => 'Hello {number}', to => [numbers(100000)] })->data;
diag(sprintf 'audience %.3f s, inline %.3f s', $took, time - $at);
is($inline->{recipients}, 100000, 'inline');
is($inline->{segments}{total}, 100000, 'segments');


=== TEST 7: a dry run with an idempotency key is repeated like any POST
--- check
my $a = account();
$a->sender();
my %campaign = (text => 'Hello', to => [numbers(3)], schedule => '2100-01-01 00:00:00');
my $first = dry($a, \%campaign, 'Idempotency-Key' => 'dry');
my $again = dry($a, \%campaign, 'Idempotency-Key' => 'dry');
is_deeply([$again->status, $again->body, $again->header('idempotency-replayed')], [200, $first->body, 'true'], 'repeated');
refused($a->post('/campaigns', { from => 'Acme', channel => 'SMS', %campaign }, 'Idempotency-Key' => 'dry'), 409, 1012, 'the real call is another request');
is(total($a), 0, 'nothing was made');
