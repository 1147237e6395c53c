# A campaign's messages: listed, filtered, canceled one by one, exported.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';

gateway(sub {
    my $r = shift;
    return 400 if $r->{body} =~ /"1999/;
    return 503 if $r->{body} =~ /"1888/;
    return 200;
});

$Campaign::HttpConfig .= "campaign_retry min=20ms max=20ms attempts=3;\n";
$Campaign::Config .= channel('MIXED', '') . channel('SLOW', 'concurrency=1');

# nothing is sent but in the blocks that say so
Test::Nginx::Util::add_block_preprocessor(sub {
    my $block = shift;
    $Campaign::Dispatch = $block->dispatch // 'off';
    $block->set_value(config => "# dispatch $Campaign::Dispatch\n" . ($block->config // ''));
});

sub to { join ' ', map { $_->{to} // 'none' } @{ $_[0]->data } }

run_tests();

__DATA__

=== TEST 1: the messages of a campaign in the order of its recipients, each with its text
--- check
my $a = account();
$a->sender(name => 'Acme');
my $t = $a->template(text => 'Hello {first_name|friend}, {custom1}');
my $u = $a->audience(contacts => [{ number => '15551230001', first_name => 'Ada', custom1 => '€1' }, { number => '15551230002' }]);
my $c = $a->make('/campaigns', { from => 'Acme', audience => $u->{id}, template => $t->{id}, schedule => '2100-01-01 00:00:00' });
my $r = $a->get("/campaigns/$c->{id}/messages");
answered($r, 200, 'listed');
is_deeply([map { [@$_{qw(campaign_id template_id from to channel direction status text segments_count encoding schedule)}] } @{ $r->data }],
          [map { [$c->{id}, $t->{id}, 'Acme', "1555123000$_->[0]", 'SMS', 'MT', 'scheduled', $_->[1], 1, 'GSM-7', '2100-01-01 00:00:00'] }
           [1, 'Hello Ada, €1'], [2, 'Hello friend, ']], 'fields');
is_deeply($r->data->[0]{links}, { self => "/v1/messages/$r->{json}{data}[0]{id}", account => '/v1/accounts/' . $a->id,
                                  campaign => "/v1/campaigns/$c->{id}", template => "/v1/templates/$t->{id}" }, 'links');
my %page = %{ $r->page };
is_deeply([@page{qw(number size total)}], [1, 2, 2], 'pagination');
is($page{links}{first}, "/v1/campaigns/$c->{id}/messages?page_size=20", 'first');
is_deeply($a->get("/messages/$r->{json}{data}[0]{id}")->data, $r->data->[0], 'each by its id');
refused(account()->get("/campaigns/$c->{id}/messages"), 404, 1601, "another account's campaign");
refused($a->get('/campaigns/12/messages'), 400, 1602, 'no UUID');
refused($a->post("/campaigns/$c->{id}/messages", {}), 405, 1013, 'POST');


=== TEST 2: pages walk a campaign once, forth and back
--- check
my $a = account();
$a->sender(name => 'Acme');
my @numbers = map { '' . (15551000000 + $_) } 0 .. 599;
my $c = $a->campaign(to => \@numbers);
$a->campaign(to => ['15559999999']);
my ($page, $last, @seen, @back);
for ($page = $a->get("/campaigns/$c->{id}/messages?page_size=100"); $page; $page = $page->page->{links}{next} && $a->get($page->page->{links}{next})) {
    push @seen, to($page);
    $last = $page;
}
is(join(' ', @seen), "@numbers", 'all of them');
is_deeply([@{ $last->page }{qw(number size total)}], [6, 100, 600], 'the last page');
for ($page = $last; $page; $page = $page->page->{links}{previous} && $a->get($page->page->{links}{previous})) {
    unshift @back, to($page);
    $last = $page;
}
is(join(' ', @back), "@numbers", 'and back');
is($last->page->{number}, 1, 'to the first');


=== TEST 3: filters of status and of the beginning of a number
--- check
my $a = account();
$a->sender(name => 'Acme');
my $c = $a->campaign(to => ['15551000000', '15551000001', '15552000000', '491701234567']);
my $list = sub { to($a->get("/campaigns/$c->{id}/messages?$_[0]")) };
is($list->('filter[to]=15551'), '15551000000 15551000001', 'prefix');
is($list->('filter[to]=%2B49'), '491701234567', 'with a +');
is($list->('filter[to]=15551000001'), '15551000001', 'a whole number');
is($list->('filter[to]=3'), '', 'none');
is($list->('filter[status]=scheduled'), '15551000000 15551000001 15552000000 491701234567', 'status');
is($list->('filter[status]=sent'), '', 'another one');
is($list->('filter[status]=scheduled&filter[to]=1'), '15551000000 15551000001 15552000000', 'both');
is($list->("filter[campaign_id]=$c->{id}&filter[to]=4"), '491701234567', 'its own id');
is($list->('filter[campaign_id]=00000000-0000-4000-8000-000000000000'), '', 'another one');
refused($a->get("/campaigns/$c->{id}/messages?filter[status]=paused"), 400, 1009, 'a status of campaigns');
refused($a->get("/campaigns/$c->{id}/messages?filter[to]=abc"), 400, 1009, 'no number');
is($a->get("/campaigns/$c->{id}/messages?filter[status]=scheduled")->page->{total}, 4, 'a status is counted');
is($a->get("/campaigns/$c->{id}/messages?filter[to]=4")->page->{total}, undef, 'a prefix is not');


=== TEST 4: one message of a campaign is canceled, the others are not
--- check
my $a = account();
$a->sender(name => 'Acme');
my $c = $a->campaign(to => ['15551000000', '15551000001', '15551000002']);
my $all = $a->get("/campaigns/$c->{id}/messages")->data;
answered($a->delete("/messages/$all->[1]{id}"), 204, 'canceled');
is(join(' ', map { $_->{status} } @{ $a->get("/campaigns/$c->{id}/messages")->data }), 'scheduled canceled scheduled', 'statuses');
my $m = $a->get("/campaigns/$c->{id}")->data->{messages};
is_deeply([@$m{qw(total pending canceled)}], [3, 2, 1], 'counted');
answered($a->put("/campaigns/$c->{id}", { status => 'canceled' }), 200, 'then all of it');
is(join(' ', map { "$_->{status} $_->{reason}" } @{ $a->get("/campaigns/$c->{id}/messages")->data }), join(' ', ('canceled') x 6), 'all canceled');
is(scalar @{ $a->get("/campaigns/$c->{id}/messages?filter[status]=canceled")->data }, 3, 'and found so');
is($a->get("/campaigns/$c->{id}")->data->{messages}{canceled}, 3, 'each counted once');
answered($a->delete("/campaigns/$c->{id}"), 204, 'the campaign goes');
refused($a->get("/messages/$all->[0]{id}"), 404, 1501, 'and its messages with it');
is($a->get('/messages')->page->{total}, 0, 'all of them');


=== TEST 5: an export holds all of them, formulas quoted
--- check
my $a = account();
$a->sender(name => 'Acme');
my @numbers = map { '' . (15551000000 + $_) } 0 .. 1999;
my $c = $a->campaign(to => \@numbers, text => '=1+{number}, "ü"');
my $r = $a->get("/campaigns/$c->{id}/messages", Accept => 'text/csv');
answered($r, 200, 'CSV');
is($r->header('content-type'), 'text/csv; charset=utf-8', 'its type');
my @lines = split /\r\n/, $r->body;
is($lines[0], 'id,to,status,reason,attempts,from,channel,text,segments_count,encoding,create_date,update_date,gateway_id', 'header row');
is(scalar @lines, 2001, 'a line each');
like($lines[1], qr/\A[0-9a-f-]{36},15551000000,scheduled,,0,Acme,SMS,"'=1\+15551000000, ""\xc3\xbc""",1,GSM-7,/, 'first');
is(join(' ', map { (split /,/)[1] } @lines[1 .. 2000]), "@numbers", 'all numbers in their order');
$r = $a->get("/campaigns/$c->{id}/messages?filter[to]=155510019", Accept => 'application/x-ndjson');
is($r->header('content-type'), 'application/x-ndjson', 'NDJSON');
@lines = map { decode($_) } split /\n/, $r->body;
is(scalar @lines, 100, 'filtered');
is_deeply($lines[0], $a->get("/messages/$lines[0]{id}")->data, 'the objects of the list');
is(scalar(() = $a->get("/campaigns/$c->{id}/messages?filter[status]=sent", Accept => 'text/csv')->body =~ /\r\n/g), 1, 'nothing: the header row');
refused(account()->get("/campaigns/$c->{id}/messages", Accept => 'text/csv'), 404, 1601, "another account's campaign");
is($a->get('/messages?page_size=1', Accept => 'text/csv')->header('content-type'), 'application/json', 'the list of all is JSON');


=== TEST 6: what became of each message
--- dispatch: on
--- check
my $a = account();
$a->sender(name => 'Acme', channel => 'MIXED');
my $c = $a->make('/campaigns', { from => 'Acme', channel => 'MIXED', text => 'Hello', to => ['15551000000', '19991000000', '18881000000'] });
is(counts(settled($a, $c)), 'completed: 2 failed, 1 sent of 3', 'settled');
is(join(', ', map { join ' ', map { $_ // '-' } @$_{qw(to status reason attempts)} } @{ $a->get("/campaigns/$c->{id}/messages")->data }),
   '15551000000 sent - 1, 19991000000 failed gateway_4xx 1, 18881000000 failed gateway_5xx 3', 'status, reason, attempts');
is(to($a->get("/campaigns/$c->{id}/messages?filter[status]=failed")), '19991000000 18881000000', 'failed ones');
is(to($a->get('/messages?filter[status]=failed')), '19991000000 18881000000', 'of the account');


=== TEST 7: a message canceled while others are sent is not sent
--- dispatch: on
--- check
my $a = account(rate => 25, burst => 1);
$a->sender(name => 'Acme', channel => 'SLOW');
my $c = $a->make('/campaigns', { from => 'Acme', channel => 'SLOW', text => 'Hello', to => [numbers(60)] });
my $all = $a->get("/campaigns/$c->{id}/messages?page_size=100")->data;
answered($a->delete("/messages/$all->[$_]{id}"), 204, "message $_") for 58, 50;
is(counts(settled($a, $c)), 'completed: 2 canceled, 58 sent of 60', 'settled');
is(join(' ', sent_by(requests('SLOW'))), join(' ', (numbers(60))[0 .. 49, 51 .. 57, 59]), 'the others were sent');
is(to($a->get("/campaigns/$c->{id}/messages?filter[status]=canceled")), join(' ', (numbers(60))[50, 58]), 'and these say so');
