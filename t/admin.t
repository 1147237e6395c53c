# Administration: accounts, their rates and their keys.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: an account is made without a key, and its key is shown once
--- check
my $r = admin()->post('/accounts', { name => 'one', rate => 50 });
answered($r, 201, 'created');
my $a = $r->data;
like($a->{id}, uuid(), 'id');
like($a->{api_key}, qr/^[A-Za-z0-9_-]{32}$/, 'key');
is_deeply({ map { $_ => $a->{$_} } qw(name rate burst status) }, { name => 'one', rate => 50, burst => 5, status => 'active' }, 'fields');
like($a->{create_date}, qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'create_date');
is_deeply($a->{links}, { self => "/admin/accounts/$a->{id}" }, 'links');
my $key = delete $a->{api_key};
is_deeply(admin()->get("/accounts/$a->{id}")->data, $a, 'read back it is the same, without the key');
is_deeply([grep { exists $_->{api_key} } @{ admin()->get('/accounts?page_size=100')->data }], [], 'no key in the list');
ok(!exists admin()->put("/accounts/$a->{id}", { rate => 60 })->data->{api_key}, 'nor in the reply to a change');
answered(nobody($key)->get('/senders'), 200, 'the key works');
unlike(do { local (@ARGV, $/) = store_dir() . '/data.mdb'; <> }, qr{\Q$key\E}, 'and is not in the store');


=== TEST 2: the burst is a tenth of the rate, one at least
--- check
my %burst = (1000 => 100, 10 => 1, 1 => 1, 0.5 => 1, 19 => 1, 20 => 2, 1000000 => 100000);
for my $rate (sort { $a <=> $b } keys %burst) {
    my $r = admin()->post('/accounts', { name => "burst $rate", rate => $rate + 0 });
    is($r->data->{burst}, $burst{$rate}, "rate $rate");
}
is(admin()->post('/accounts', { name => 'own burst', rate => 10, burst => 1000000 })->data->{burst}, 1000000, 'one of its own');


=== TEST 3: a rate may be a fraction, and stays exact
--- check
for my $rate ('0.5', '0.000001', '0.1', '33.333333', '999999.999999', '1000000', '2.5') {
    my $r = admin()->post('/accounts', qq({"data":{"name":"rate $rate","rate":$rate}}));
    answered($r, 201, "rate $rate");
    like($r->body, qr/"rate":\Q$rate\E,/, "is shown as $rate");
}
like(admin()->post('/accounts', '{"data":{"name":"exponent","rate":1e3}}')->body, qr/"rate":1000,/, 'with an exponent');


=== TEST 4: all wrong fields of an account come in one reply
--- check
my %bad = (name => ['', undef], rate => [0, -1, 1000001, '10', 0.0000001, JSON::PP::true()], burst => [0, -1, 1000001, 1.5, '3'],
           status => ['asleep', 1, '']);
refused(admin()->post('/accounts', {}), 400, [1903, 1906], 'nothing given');
refused(admin()->post('/accounts', { name => 'x' x 46, rate => 0, burst => 0, status => 'no' }), 400, [1904, 1907, 1908, 1909], 'all wrong');
my %code = (name => 1903, rate => 1907, burst => 1908, status => 1909);
for my $field (sort keys %bad) {
    refused(admin()->post('/accounts', { name => 'bad', rate => 1, $field => $_ }), 400, $code{$field}, "$field " . json($_)) for @{ $bad{$field} };
}
refused(admin()->post('/accounts', { name => "a\tb", rate => 1 }), 400, 1904, 'a control character in the name');
answered(admin()->post('/accounts', { name => 'é' x 45, rate => 1 }), 201, '45 characters of two bytes');


=== TEST 5: an account's name is unique
--- check
answered(admin()->post('/accounts', { name => 'twin', rate => 1 }), 201, 'first');
refused(admin()->post('/accounts', { name => 'twin', rate => 1 }), 409, 1905, 'second');
my $other = admin()->post('/accounts', { name => 'no twin', rate => 1 })->data;
refused(admin()->put("/accounts/$other->{id}", { name => 'twin' }), 409, 1905, 'renamed to it');
answered(admin()->put("/accounts/$other->{id}", { name => 'no twin' }), 200, 'to its own name');


=== TEST 6: a change touches what was given and nothing else
--- check
my $id = admin()->post('/accounts', { name => 'changed', rate => 10, burst => 7 })->data->{id};
sub fields { my $d = shift->data; [@$d{qw(name rate burst status)}] }
is_deeply(fields(admin()->put("/accounts/$id", { rate => 0.25 })), ['changed', 0.25, 7, 'active'], 'rate');
is_deeply(fields(admin()->put("/accounts/$id", { burst => 9 })), ['changed', 0.25, 9, 'active'], 'burst');
is_deeply(fields(admin()->patch("/accounts/$id", { status => 'disabled' })), ['changed', 0.25, 9, 'disabled'], 'status, by PATCH');
is_deeply(fields(admin()->put("/accounts/$id", { name => 'renamed', status => 'ACTIVE' })), ['renamed', 0.25, 9, 'active'], 'name and status');
is_deeply(fields(admin()->put("/accounts/$id", {})), ['renamed', 0.25, 9, 'active'], 'nothing');
refused(admin()->put("/accounts/$id", { rate => -1, burst => 5 }), 400, 1907, 'one of two is wrong');
is_deeply(fields(admin()->get("/accounts/$id")), ['renamed', 0.25, 9, 'active'], 'so both are as they were');


=== TEST 7: an account has several keys at once
--- check
my $a = account();
my $r = admin()->post('/accounts/' . $a->id . '/keys', {});
answered($r, 201, 'a second key');
my $k = $r->data;
is_deeply({ map { $_ => $k->{$_} } qw(account_id scope expire_date) }, { account_id => $a->id, scope => 'full', expire_date => undef }, 'fields');
isnt($k->{api_key}, $a->key, 'another one');
is(nobody($k->{api_key})->post('/senders', { name => 'Acme', channel => 'SMS' })->data->{account_id}, $a->id, 'it is of the same account');
answered($a->get('/senders'), 200, 'the first one goes on working');
is(admin()->post('/accounts/' . $a->id . '/keys', { expire_date => '2099-12-31T23:59:59+01:00' })->data->{expire_date}, '2099-12-31 22:59:59', 'RFC 3339');


=== TEST 8: wrong fields of a key are refused
--- check
my $a = account();
my $keys = '/accounts/' . $a->id . '/keys';
refused(admin()->post($keys, { scope => 'write', expire_date => 'tomorrow' }), 400, [1910, 1911], 'both');
refused(admin()->post($keys, { expire_date => '2020-01-01 00:00:00' }), 400, 1911, 'a date in the past');
refused(admin()->post('/accounts/00000000-0000-4000-8000-000000000000/keys', {}), 404, 1901, 'an unknown account');
refused(admin()->post('/accounts/x/keys', {}), 400, 1902, 'no UUID');


=== TEST 9: an account that is not there
--- check
refused(admin()->get('/accounts/00000000-0000-4000-8000-000000000000'), 404, 1901, 'GET');
refused(admin()->put('/accounts/00000000-0000-4000-8000-000000000000', { rate => 1 }), 404, 1901, 'PUT');
refused(admin()->get('/accounts/1'), 400, 1902, 'no UUID');
my $sender = account()->sender();
refused(admin()->get("/accounts/$sender->{id}"), 404, 1901, 'the identifier of a sender');


=== TEST 10: accounts are listed newest first, page by page
--- check
my @names = map { "listed $_" } 1 .. 5;
admin()->post('/accounts', { name => $_, rate => 1 }) for @names;
my $total = admin()->get('/accounts')->page->{total};
my $r = admin()->get('/accounts?page_size=2');
is(join(',', map { $_->{name} } @{ $r->data }), 'listed 5,listed 4', 'first page');
is($r->page->{links}{previous}, undef, 'nothing before it');
$r = admin()->get($r->page->{links}{next});
is(join(',', map { $_->{name} } @{ $r->data }), 'listed 3,listed 2', 'second page');
is($r->page->{number}, 2, 'its number');
my $walked = 2;
while (1) {
    $walked += @{ $r->data };
    last if !$r->page->{links}{next};
    $r = admin()->get($r->page->{links}{next});
}
is($walked, $total, 'walked to the end all were seen');
refused(admin()->get("/accounts?page_size=$_"), 400, 1009, "page_size $_") for 0, 101, -1, 'x', '';
