# One contact changed and deleted, contacts searched.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

# numbers of all pages, and how many pages there were
sub numbers {
    my ($a, $path) = @_;
    my (@all, $pages);
    while ($path) {
        my $r = $a->get($path);
        push @all, map { $_->{number} } @{ $r->data };
        $path = $r->page->{links}{next};
        $pages++;
    }
    return wantarray ? (join(' ', @all), $pages) : join ' ', @all;
}

sub csv_of { join "\r\n", 'number,first_name,last_name', @_, '' }

run_tests();

__DATA__

=== TEST 1: PUT changes the fields given, null empties one, the rest stays
--- check
my $a = account();
my $audience = $a->audience(contacts => [{ number => '15551234567', first_name => 'Ann', last_name => 'Lee', custom1 => 'x', tags => ['a', 'b'] }]);
my $list = "/audiences/$audience->{id}/contacts";
my $c = $a->get($list)->data->[0];

my $r = $a->put("$list/$c->{id}", { first_name => 'Anna', last_name => undef, custom2 => 'y' });
answered($r, 200, 'changed');
is_deeply($r->data, { %$c, first_name => 'Anna', last_name => undef, custom2 => 'y' }, 'reply');
is_deeply($a->get("$list/$c->{id}")->data, $r->data, 'and it is stored');

$r = $a->patch("$list/$c->{id}", { number => '+15559999999', tags => ['c'], date => 'z' });
answered($r, 200, 'PATCH does the same');
is_deeply($r->data, { %$c, number => '15559999999', first_name => 'Anna', last_name => undef, custom2 => 'z', tags => ['c'] }, 'reply');

is_deeply($a->put("$list/$c->{id}", {})->data, $r->data, 'nothing given, nothing changed');
is_deeply($a->put("$list/$c->{id}", { tags => undef, unknown => 1 })->data->{tags}, [], 'null empties tags');
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 1, 'the count is the same');


=== TEST 2: a number stands once in an audience
--- check
my $a = account();
my $audience = $a->audience(contacts => [map { { number => "1555000000$_" } } 1 .. 3]);
my $list = "/audiences/$audience->{id}/contacts";
my ($one, $two) = @{ $a->get($list)->data };

refused($a->put("$list/$two->{id}", { number => '15550000001' }), 409, 1360, "another one's number");
answered($a->put("$list/$two->{id}", { number => '15550000002', first_name => 'Bo' }), 200, 'its own');
answered($a->put("$list/$two->{id}", { number => '15550000009' }), 200, 'a new one');
refused($a->post($list, { number => '15550000009' }), 409, 1360, 'which is taken now');
answered($a->post($list, { number => '15550000002' }), 201, 'and the old one is free');
refused($a->put("$list/$one->{id}", { number => '15550000002' }), 409, 1360, 'until it is taken again');
is(numbers($a, $list), '15550000001 15550000009 15550000003 15550000002', 'each in its place');


=== TEST 3: wrong fields change nothing
--- check
my $a = account();
my $audience = $a->audience(contacts => [{ number => '15551234567', first_name => 'Ann' }]);
my $list = "/audiences/$audience->{id}/contacts";
my $c = $a->get($list)->data->[0];

refused($a->put("$list/$c->{id}", { number => undef }), 400, 1353, 'no number');
refused($a->put("$list/$c->{id}", { number => '12' }), 400, 1354, 'no such number');
refused($a->put("$list/$c->{id}", { first_name => 'x' x 33, last_name => 'x' x 33, custom1 => 'x' x 33, custom2 => 'x' x 71, tags => [1 .. 11] }),
        400, [1359, 1361, 1362, 1363, 1364], 'all too long');
refused($a->put("$list/$c->{id}", [{ first_name => 'x' }]), 400, 1007, 'a list');
refused($a->put("$list/12", { first_name => 'x' }), 400, 1352, 'no UUID');
refused($a->put("$list/$audience->{id}", { first_name => 'x' }), 404, 1351, "an audience's id");
refused(account()->put("$list/$c->{id}", { first_name => 'x' }), 404, 1351, "another account's");
refused($a->put('/audiences/' . $a->audience->{id} . "/contacts/$c->{id}", { first_name => 'x' }), 404, 1351, "another audience's");
is_deeply($a->get("$list/$c->{id}")->data, $c, 'it is as it was');


=== TEST 4: DELETE: the contact is gone, its number is free, the count goes down
--- check
my $a = account();
my $audience = $a->audience(contacts => [map { { number => "1555000000$_" } } 1 .. 5]);
my $list = "/audiences/$audience->{id}/contacts";
my @c = @{ $a->get($list)->data };

my $r = $a->delete("$list/$c[1]{id}");
answered($r, 204, 'deleted');
is($r->body // '', '', 'no body');
refused($a->delete("$list/$c[1]{id}"), 404, 1351, 'once');
refused($a->get("$list/$c[1]{id}"), 404, 1351, 'not shown');
refused($a->put("$list/$c[1]{id}", { first_name => 'x' }), 404, 1351, 'not changed');
refused(account()->delete("$list/$c[0]{id}"), 404, 1351, 'not by another account');
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 4, 'count');
$r = $a->get("$list?page_size=2");
is($r->page->{total}, 4, 'total');
is(numbers($a, "$list?page_size=2"), '15550000001 15550000003 15550000004 15550000005', 'pages');

$r = $a->post($list, { number => '15550000002' });
answered($r, 201, 'the number can be added again');
isnt($r->data->{id}, $c[1]{id}, 'as another contact');
answered($a->delete("$list/$_->{id}"), 204, "number $_->{number}") for @{ $a->get($list)->data };
is($a->get("/audiences/$audience->{id}")->data->{contacts_count}, 0, 'all gone');
is_deeply($a->get($list)->data, [], 'an empty list');
is($a->get($list, Accept => 'application/x-ndjson')->body, '', 'an empty export');


=== TEST 5: search by a prefix of the number or a part of a name
--- check
my $a = account();
my $audience = $a->audience(contacts => [
    { number => '15550000001', first_name => 'Ann', last_name => 'Lee' },
    { number => '15550000002', first_name => 'Hannah' },
    { number => '15560000003', last_name => "Sm\xefth" },
    { number => '4479000001',  first_name => '1555', last_name => 'A b&c=d' },
]);
my $list = "/audiences/$audience->{id}/contacts";
my %found = (1555 => '15550000001 15550000002 4479000001', '%2B1555' => '15550000001 15550000002', ann => '15550000001 15550000002',
             LEE => '15550000001', '0001' => '', 447900 => '4479000001', 'Sm%C3%AFth' => '15560000003', 'b%26c%3D' => '4479000001', x => '');
for my $search (sort keys %found) {
    my $r = $a->get("$list?filter[search]=$search");
    is(join(' ', map { $_->{number} } @{ $r->data }), $found{$search}, "search for $search");
    is($r->page->{total}, scalar(split / /, $found{$search}), "search for $search: total");
}

my $r = $a->get("$list?page_size=1&filter%5Bsearch%5D=b%26c%3D");
is($r->page->{links}{first}, "/v1$list?page_size=1&filter%5Bsearch%5D=b%26c%3D", 'links repeat it, escaped');
is(numbers($a, "$list?page_size=1&filter[search]=1555"), $found{1555}, 'page by page');
$r = $a->get($a->get("$list?page_size=1&filter[search]=1555")->page->{links}{next});
is($a->get($r->page->{links}{previous})->data->[0]{number}, '15550000001', 'and back');
my ($token) = $r->page->{links}{next} =~ /page_token=(.*)/;
refused($a->get("$list?page_token=$token"), 400, 1009, 'a token without its search');
refused($a->get("$list?filter[search]=155&page_token=$token"), 400, 1009, 'or with another');
refused($a->get("$list?filter[search]=" . 'x' x 46), 400, 1009, 'too long');
refused($a->get("$list?filter[search]=%FF"), 400, 1009, 'no UTF-8');
is($a->get("$list?filter[search]=ann", Accept => 'text/csv')->body,
   "number,first_name,last_name,custom1,custom2,tags\r\n15550000001,Ann,Lee,,,\r\n15550000002,Hannah,,,,\r\n", 'and exported');


=== TEST 6: a search over many contacts looks at some at a time
--- check
my $a = account();
my $audience = $a->audience(contacts => []);
my $list = "/audiences/$audience->{id}/contacts";
my $r = $a->post($list, csv_of(map { sprintf '1555%07d,%s', $_, $_ % 10000 == 7 ? 'Needle' : 'Hay' } 1 .. 25000), 'Content-Type' => 'text/csv');
is($r->data->{created}, 25000, 'contacts');

my ($found, $pages) = numbers($a, "$list?filter[search]=needle");
is($found, '15550000007 15550010007 15550020007', 'all are found');
cmp_ok($pages, '>', 1, "in $pages pages");
is($a->get("$list?filter[search]=needle")->page->{total}, undef, 'total is not known');
is($a->get($list)->page->{total}, 25000, 'without a search it is');

my $path = "$list?filter[search]=needle";
my ($next, @back) = ($path);
while ($next) { $path = $next; $next = $a->get($path)->page->{links}{next} }
while ($path) { my $r = $a->get($path); unshift @back, map { $_->{number} } @{ $r->data }; $path = $r->page->{links}{previous} }
is("@back", $found, 'and on the way back');
is(scalar(split /\n/, $a->get("$list?filter[search]=needle", Accept => 'application/x-ndjson')->body), 3, 'and in one export');


=== TEST 7: a contact changed or deleted before its turn
--- check
my $a = account();
$a->sender;
my $audience = $a->audience(contacts => [map { { number => "1555000000$_" } } 1 .. 3]);
my $list = "/audiences/$audience->{id}/contacts";
my @c = @{ $a->get($list)->data };
my $r = $a->post('/campaigns', { from => 'Acme', text => 'Hi', audience => $audience->{id}, channel => 'SMS', schedule => '2100-01-01 00:00:00' });
answered($r, 201, 'a campaign of the future');
answered($a->delete("$list/$c[0]{id}"), 204, 'one contact goes');
my $later = $a->post('/campaigns', { from => 'Acme', text => 'Hi', audience => $audience->{id}, channel => 'SMS', schedule => '2100-01-01 00:00:00' });
is($a->get('/campaigns/' . $r->data->{id})->data->{messages}{total}, 3, 'the campaign still counts it');
is($later->data->{messages}{total}, 2, 'a later one does not');
