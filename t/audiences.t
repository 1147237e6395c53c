# Audiences: named lists of contacts.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: an audience is shown as the contract has it
--- check
my $a = account();
my $r = $a->post('/audiences', { name => 'Friends_1 a-b', channel => 'sms' });
answered($r, 201, 'created');
my $d = $r->data;
like($d->{id}, uuid(), 'id');
is_deeply({ map { $_ => $d->{$_} } qw(account_id name channel contacts_count) },
          { account_id => $a->id, name => 'Friends_1 a-b', channel => 'SMS', contacts_count => 0 }, 'fields');
is_deeply($d->{links}, { self => "/v1/audiences/$d->{id}", account => '/v1/accounts/' . $a->id, contacts => "/v1/audiences/$d->{id}/contacts" }, 'links');
is_deeply($a->get("/audiences/$d->{id}")->data, $d, 'read back it is the same');
is($a->get($d->{links}{contacts})->page->{total}, 0, 'its contacts are where the link says');


=== TEST 2: contacts may come with a new audience
--- check
my $a = account();
my @contacts = ({ number => '+15551234567', first_name => 'Ann' }, { number => '15551234568' }, '15551234569', { number => '15551234567' });
my $d = $a->post('/audiences', { name => 'with contacts', channel => 'SMS', contacts => \@contacts })->data;
is($d->{contacts_count}, 3, 'a double is dropped');
my $list = $a->get("/audiences/$d->{id}/contacts")->data;
is(join(' ', map { $_->{number} } @$list), '15551234567 15551234568 15551234569', 'the numbers');
is($list->[0]{first_name}, 'Ann', 'the first one stands');


=== TEST 3: 1000 contacts at most come with it
--- check
my $a = account();
my @contacts = map { { number => 15550000000 + $_ . '' } } 1 .. 1001;
refused($a->post('/audiences', { name => 'big', channel => 'SMS', contacts => \@contacts }), 400, 1308, '1001 are not');
pop @contacts;
is($a->post('/audiences', { name => 'big', channel => 'SMS', contacts => \@contacts })->data->{contacts_count}, 1000, '1000 are taken');


=== TEST 4: a bad contact refuses the audience, and is named
--- check
my $a = account();
my $r = $a->post('/audiences', { name => 'bad', channel => 'SMS', contacts => [{ number => '15551234567' }, { number => 'x' }] });
refused($r, 400, 1354, 'an invalid number');
like(($r->messages)[0], qr/data\.contacts\[1\]/, 'the message says which');
refused($a->post('/audiences', { name => 'bad', channel => 'SMS', contacts => {} }), 400, 1365, 'no list');
refused($a->post('/audiences', { name => 'bad', channel => 'SMS', contacts => [{}] }), 400, 1353, 'no number');
is($a->get('/audiences')->page->{total}, 0, 'nothing was created');


=== TEST 5: all wrong fields of an audience come in one reply
--- check
my $a = account();
refused($a->post('/audiences', {}), 400, [1303, 1306], 'nothing given');
refused($a->post('/audiences', { name => 'x' x 46, channel => 'PIGEON' }), 400, [1305, 1307], 'both wrong');
refused($a->post('/audiences', { name => $_, channel => 'SMS' }), 400, 1304, 'name ' . json($_)) for 'a/b', 'a.b', 'a"b', "a\nb", 5, [];
answered($a->post('/audiences', { name => 'Ж' x 45, channel => 'SMS' }), 201, '45 letters of two bytes');


=== TEST 6: a name is unique in its account
--- check
my ($a, $b) = (account(), account());
$a->audience(name => 'Friends');
refused($a->post('/audiences', { name => 'Friends', channel => 'VIBER' }), 409, 1309, 'once more');
answered($b->post('/audiences', { name => 'Friends', channel => 'SMS' }), 201, 'in another account');


=== TEST 7: audiences are listed newest first, by channel
--- check
my $a = account();
$a->audience(name => "A$_", channel => $_ % 2 ? 'SMS' : 'VIBER') for 1 .. 5;
is(join(' ', map { $_->{name} } @{ $a->get('/audiences')->data }), 'A5 A4 A3 A2 A1', 'all');
is(join(' ', map { $_->{name} } @{ $a->get('/audiences?filter%5Bchannel%5D=sms')->data }), 'A5 A3 A1', 'of a channel');
refused($a->get('/audiences/00000000-0000-4000-8000-000000000000'), 404, 1301, 'unknown');
refused($a->get('/audiences/0'), 400, 1302, 'no UUID');
