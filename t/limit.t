# The rate limit of the API itself: nginx's limit_req by the account that calls.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

$Campaign::HttpConfig = 'limit_req_zone $campaign_account zone=account:1m rate=1r/m;';

$Campaign::Config = <<'END';
location /limited/v1/ {
    limit_req zone=account burst=1 nodelay;
    limit_req_status 429;
    campaign_api;
}
END

sub ask { wire(request(GET => '/limited/v1/senders', [shift->header])) }

run_tests();

__DATA__

=== TEST 1: limit_req by $campaign_account limits each account by itself
--- check
my ($a, $b) = (account(), account());
for my $client ($a, $b) {
    answered(ask($client), 200, 'within the limit') for 1, 2;
    my $r = ask($client);
    refused($r, 429, 1010, 'beyond it');
    is($r->header('retry-after'), '1', 'Retry-After');
}
my $second = admin()->post('/accounts/' . $a->id . '/keys', {})->data->{api_key};
refused(wire(request(GET => '/limited/v1/senders', ["X-Dexatel-Key: $second"])), 429, 1010, 'another key of the account');


=== TEST 2: a key of nobody is refused as such, however often
--- check
my $nobody = nobody('no-such-key');
refused(ask($nobody), 401, 1002, "time $_") for 1 .. 5;
