# Templates: texts with placeholders.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: a template is shown as the contract has it
--- check
my $a = account();
my $text = "Dear {first_name|friend}, {{literally}}\n{last_name} {number} {custom1} {custom2} {timestamp} {date} — \x{1F600} \"\\";
my $r = $a->post('/templates', { name => 'Welcome', text => $text, channel => 'sms' });
answered($r, 201, 'created');
my $t = $r->data;
like($t->{id}, uuid(), 'id');
is_deeply({ map { $_ => $t->{$_} } qw(account_id name text channel status) },
          { account_id => $a->id, name => 'Welcome', text => $text, channel => 'SMS', status => 'COMPLETED' }, 'fields');
is_deeply($t->{links}, { self => "/v1/templates/$t->{id}", account => '/v1/accounts/' . $a->id }, 'links');
is_deeply($a->get("/templates/$t->{id}")->data, $t, 'read back it is the same');


=== TEST 2: all wrong fields of a template come in one reply
--- check
my $a = account();
refused($a->post('/templates', {}), 400, [1254, 1256], 'nothing given');
refused($a->post('/templates', { name => 'x' x 46, text => '', channel => 'PIGEON' }), 400, [1254, 1257, 1263], 'three');
refused($a->post('/templates', { name => 7, text => 7, channel => 7 }), 400, [1255, 1257, 1259], 'no strings');
refused($a->post('/templates', { name => "a\nb", text => 'x', channel => 'SMS' }), 400, 1259, 'a line feed in the name');
refused($a->post('/templates', { text => "x\x{1}", channel => 'SMS' }), 400, 1255, 'a control character in the text');
refused($a->post('/templates', $_), 400, 1253, "no data: $_") for '{}', '{"data":null}', '{"data":[]}', '[]';
refused($a->post('/templates'), 400, 1007, 'no body');
is($a->get('/templates')->page->{total}, 0, 'none of them was created');


=== TEST 3: placeholders are checked when the template is made
--- check
my $a = account();
for my $text ('Hi {nickname}', 'Hi {first_name', 'Hi }', 'Hi {}', 'Hi {First_Name}', 'Hi { first_name }', 'Hi {{first_name}') {
    my $r = $a->post('/templates', { text => $text, channel => 'SMS' });
    refused($r, 400, 1255, $text);
}
like(($a->post('/templates', { text => 'Hi {nickname}', channel => 'SMS' })->messages)[0], qr/nickname/, 'the message shows the place');
answered($a->post('/templates', { text => $_, channel => 'SMS' }), 201, $_) for '{{}}', '{first_name|}', '{number}{number}', '{custom1|a b}';


=== TEST 4: a text has 1000 characters at most
--- check
my $a = account();
answered($a->post('/templates', { text => 'é' x 1000, channel => 'SMS' }), 201, '1000 of two bytes');
answered($a->post('/templates', { text => "\x{1F600}" x 1000, channel => 'SMS' }), 201, '1000 of four bytes');
refused($a->post('/templates', { text => 'é' x 1001, channel => 'SMS' }), 400, 1260, '1001 are too many');
answered($a->post('/templates', { name => 'ü' x 45, text => 'x', channel => 'SMS' }), 201, 'a name of 45 characters');


=== TEST 5: a name is unique in its account, and assigned when left out
--- check
my ($a, $b) = (account(), account());
$a->template(name => 'Welcome');
refused($a->post('/templates', { name => 'Welcome', text => 'x', channel => 'VIBER' }), 409, 1258, 'once more, in another channel');
answered($b->post('/templates', { name => 'Welcome', text => 'x', channel => 'SMS' }), 201, 'in another account');
my %seen = map { $_->{name} => 1 } map { $a->template() } 1 .. 3;
is(scalar keys %seen, 3, 'three names were assigned');
ok(!grep({ $_ eq '' } keys %seen), 'none is empty');


=== TEST 6: templates are listed newest first, by channel
--- check
my $a = account();
$a->template(name => "T$_", channel => $_ % 2 ? 'SMS' : 'VIBER') for 1 .. 5;
is(join(' ', map { $_->{name} } @{ $a->get('/templates')->data }), 'T5 T4 T3 T2 T1', 'all');
my $r = $a->get('/templates?filter[channel]=viber&page_size=1');
is(join(' ', map { $_->{name} } @{ $r->data }), 'T4', 'of a channel');
like($r->page->{links}{next}, qr/^\/v1\/templates\?page_size=1&filter%5Bchannel%5D=VIBER&page_token=/, 'the link repeats the filter');
is(join(' ', map { $_->{name} } @{ $a->get($r->page->{links}{next})->data }), 'T2', 'and leads on');
refused($a->get('/templates/00000000-0000-4000-8000-000000000000'), 404, 1251, 'unknown');
refused($a->get('/templates/-'), 400, 1252, 'no UUID');
