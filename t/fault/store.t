# A store that is full, and one that does not open: the client is told so, and nothing but that goes wrong.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Server;
use Test::More;

my $sms = 'campaign_gateway SMS /gateway; location = /gateway { internal; return 204; }';

{
    my $server = Campaign::Server->new(workers => 1, size => '1m', server => $sms);
    my $account = account();
    my ($r, @made);

    for my $n (1 .. 2000) {
        $r = $account->post('/templates', { name => "template $n", channel => 'SMS', text => 'x' x 1000 });
        last if $r->status != 201;
        push @made, $r->data;
    }

    refused($r, 507, 1014, 'a template more than there is room for');
    is($r->header('retry-after'), '1', 'Retry-After');
    is($account->get('/templates')->page->{total}, scalar @made, 'all that was answered 201 is there, and no more');
    is_deeply($account->get("/templates/$made[-1]{id}")->data, $made[-1], 'the last one too');
    ok($server->quit && ($server->start, 1), 'the server is started again');
    is($account->get('/templates')->page->{total}, scalar @made, 'and still has them');
    like($server->log_text, qr/\[crit\][^\n]*is full[^\n]*raise "size="/, 'the log tells the mend');
    is($server->alerts('is full'), '', 'and nothing else');
    $server->quit;
}

{
    my $data = store_dir() . '/data.mdb';
    rename $data, "$data.kept" or die "$data: $!";
    open my $out, '>', $data or die "$data: $!";
    print $out 'x' x 65536;
    close $out or die "$data: $!";

    my $server = Campaign::Server->new(workers => 1);
    my $r = nobody('key')->get('/templates');
    refused($r, 503, 1011, 'a store that is damaged');
    is($r->header('retry-after'), '1', 'Retry-After');
    is($server->workers, 1, 'the worker lives on');

    rename "$data.kept", $data or die "$data: $!";
    ok(wait_for(sub { nobody('key')->get('/templates')->status == 401 }), 'the store is opened once it is mended');
    refused(nobody('key')->get('/templates'), 401, 1002, 'and asked');
    $server->quit;
}

done_testing();
