# Senders: created, listed, shown.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: a sender of letters is shown as the contract has it
--- check
my $a = account();
my $r = $a->post('/senders', { name => 'Acme', channel => 'sms' });
answered($r, 201, 'created');
my $s = $r->data;
like($s->{id}, uuid(), 'id');
my %shown = map { $_ => $s->{$_} } qw(account_id name display_name code phone channel type status);
is_deeply(\%shown, { account_id => $a->id, name => 'Acme', display_name => 'Acme', code => undef, phone => undef, channel => 'SMS',
                     type => 'ALPHANUMERIC', status => 'ACTIVE' }, 'fields');
is_deeply($s->{links}, { self => "/v1/senders/$s->{id}", account => '/v1/accounts/' . $a->id }, 'links');
like($s->{create_date}, qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'create_date');
is($s->{update_date}, $s->{create_date}, 'update_date');
is_deeply($a->get("/senders/$s->{id}")->data, $s, 'and it is read back as it was created');
is_deeply($a->get('/senders/' . uc $s->{id})->data, $s, 'by its identifier in upper case too');
is_deeply($a->get($s->{links}{self})->data, $s, 'by its link');


=== TEST 2: a number is a long or a short code, its + is dropped
--- check
my $a = account();
my %type = ('+15551234567' => 'LONG_CODE', '123456789012345' => 'LONG_CODE', '1234567' => 'LONG_CODE', '12345' => 'SHORT_CODE',
            '123456' => 'SHORT_CODE', 'A1' => 'ALPHANUMERIC', 'Elevenchars' => 'ALPHANUMERIC');
for my $name (sort keys %type) {
    my $s = $a->post('/senders', { name => $name, channel => 'SMS' })->data;
    (my $digits = $name) =~ s/^\+//;
    my $code = $type{$name} eq 'ALPHANUMERIC' ? undef : $digits;
    is_deeply([@$s{qw(name type code phone)}], [$digits, $type{$name}, $code, $code], "name $name");
}
refused($a->post('/senders', { name => '15551234567', channel => 'SMS' }), 409, 1157, 'with and without + it is the same one');


=== TEST 3: names that no gateway takes are refused
--- check
my $a = account();
for my $name ('Twelve chars', '1234', '1234567890123456', 'Ünicode', "Ac\nme", 'Ac{me}', 5, ['Acme'], '   ') {
    refused($a->post('/senders', { name => $name, channel => 'SMS' }), 400, 1154, 'name ' . json($name));
}
is($a->get('/senders')->page->{total}, 0, 'none of them was created');


=== TEST 4: all wrong fields of a sender come in one reply
--- check
my $a = account();
refused($a->post('/senders', {}), 400, [1153, 1155], 'nothing given');
refused($a->post('/senders', { name => '', channel => undef }), 400, [1153, 1155], 'empty and null are nothing');
refused($a->post('/senders', { name => 'far too long a name', channel => 'PIGEON' }), 400, [1154, 1156], 'both wrong');
my $r = $a->post('/senders', { name => 'Acme', channel => 'WHATSAPP' });
refused($r, 400, 1156, 'a channel without a gateway');
like(($r->messages)[0], qr/\[SMS, VIBER\]/, 'and the message names those that have one');


=== TEST 5: a name is unique in its account and channel
--- check
my ($a, $b) = (account(), account());
$a->sender(name => 'Acme');
refused($a->post('/senders', { name => 'Acme', channel => 'sms' }), 409, 1157, 'once more');
answered($a->post('/senders', { name => 'Acme', channel => 'VIBER' }), 201, 'in another channel');
answered($b->post('/senders', { name => 'Acme', channel => 'SMS' }), 201, 'in another account');
is($a->get('/senders')->page->{total}, 2, 'two are there');


=== TEST 6: the list is newest first, filtered by channel, page by page
--- check
my $a = account();
$a->sender(name => "S$_", channel => $_ % 2 ? 'SMS' : 'VIBER') for 1 .. 9;
is(join(' ', map { $_->{name} } @{ $a->get('/senders')->data }), 'S9 S8 S7 S6 S5 S4 S3 S2 S1', 'all');
my $r = $a->get('/senders?page_size=2&filter%5Bchannel%5D=sms');
is(join(' ', map { $_->{name} } @{ $r->data }), 'S9 S7', 'first page of a channel');
is($r->page->{total}, 5, 'total counts the channel alone');
$r = $a->get($r->page->{links}{next});
is(join(' ', map { $_->{name} } @{ $r->data }), 'S5 S3', 'second page');
refused($a->get('/senders?filter[channel]=PIGEON'), 400, 1009, 'a channel that is none');
answered($a->get('/senders?limit=1'), 200, "a client's connection test");


=== TEST 7: a sender that is not there
--- check
my $a = account();
refused($a->get('/senders/00000000-0000-4000-8000-000000000000'), 404, 1151, 'unknown');
refused($a->get('/senders/12'), 400, 1152, 'no UUID');
my $s = $a->sender();
(my $other = $s->{id}) =~ s/(.)$/$1 eq '0' ? '1' : '0'/e;
refused($a->get("/senders/$other"), 404, 1151, "a neighbour's identifier cannot be guessed");
refused($a->get("/templates/$s->{id}"), 404, 1251, 'of another kind');
