# `size` raised and lowered by reloads, in mid-campaign, while workers of both sizes serve and send, beyond the smaller size too: each call is answered,
# nothing is lost or doubled.  A store that is lowered below what it holds is full: what is new is refused, cancels and deletes go on.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use HTTP::Tiny ();
use Test::More;

my ($small, $large) = ('4m', '64m');
my ($rate, $burst) = (400, 20);
my $many = 1600;

# the answer to some takes longer than a reload, so old workers stay and record
gateway(sub { { delay => decode($_[0]{body})->{data}{to}[0] % 20 ? 0.03 : 0.5 } });

my $server = Campaign::Server->new(workers => 2, size => $small,
    server => channel('SIZE', 'concurrency=64') . 'location = /status { campaign_status; }');
my $account = account(rate => $rate, burst => $burst);

my (@refused, %asked);

# on a connection of its own: one that is kept open may be closed by a worker that ends
sub calls {
    my ($method, $path, @more) = @_;
    my $r = nobody($account->key)->call($method => $path, @more);
    $asked{$method}++;
    push @refused, "$method $path: " . $r->status . ' ' . substr $r->body // '', 0, 200 if $r->status >= 300;
    return $r->status < 300 && $r->body ? $r->data : {};
}

sub store { decode(HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status")->{content})->{data}{store} }

my $made = 0;

# reads and writes
sub works {
    my $c = shift;
    my $id = calls(POST => '/templates', { name => 'template ' . ++$made, channel => 'SIZE', text => 'x' x 500 })->{id} // return;
    calls(GET => "/campaigns/$c->{id}");
    calls(PUT => "/templates/$id", { text => "of $made" });
    calls(GET => "/templates?limit=5");
    calls(DELETE => "/templates/$id");
}

# about a megabyte
sub audience {
    my $first = 15_600_000_000 + 10_000 * ++$made;
    my $id = calls(POST => '/audiences', { name => "audience $made", channel => 'SIZE', contacts => [{ number => "$first" }] })->{id} // return;
    my $csv = join "\n", 'number,first_name,last_name,custom1,custom2', map { join ',', $first + $_, "first name of $_", "last name of $_", ('x' x 32) x 2 } 1 .. 8000;
    my $kept = calls(POST => "/audiences/$id/contacts", $csv, 'Content-Type' => 'text/csv')->{created} // 0;
    push @refused, "$kept contacts" if $kept != 8000;
    return $id;
}

# returns when the old workers take no more connections
sub resize {
    my ($size) = @_;
    my @old = $server->workers;
    my %old = map { $_ => 1 } @old;
    $server->configure(size => $size);
    $server->signal('HUP');
    wait_for {
        my $log = $server->log_text;
        return 2 == grep({ !$old{$_} } $server->workers) && !grep { $log !~ /\b$_#\d+: gracefully shutting down/ } @old;
    } or die "not reloaded\n";
}

{
    my $c = start($account, 'SIZE', to => [numbers($many)]);
    my ($rounds, $most) = (0, 0);
    ok(wait_for(sub { requests('SIZE') >= 50 }), 'a campaign is under way');

    while (requests('SIZE') < $many - 300 && $rounds < 20) {
        resize($large);
        my @ids = map { audience() } 1 .. 5;        # by workers that have more room, while those that have less are there
        works($c);
        my $size = store()->{size};
        $most = $size if $size > $most;
        calls(DELETE => "/audiences/$_") for grep { $_ } @ids;
        works($c);
        resize($small);
        works($c);
        $rounds++;
    }
    cmp_ok($rounds, '>=', 3, 'raised and lowered some times');
    cmp_ok($most, '>', 4 << 20, 'and written beyond the smaller size');
    note "$rounds rounds, up to $most bytes";
    is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends');
    my @r = requests('SIZE');
    is(join(',', sent_by(@r)), join(',', numbers($many)), 'each number was reached once');
    is(scalar(grep { $_->{header}{'x-attempt'} != 1 } @r), 0, 'at the first attempt');
    is_deeply(\@refused, [], 'each call was answered 2xx') or diag scalar @refused;
    note join ', ', map { "$_ $asked{$_}" } sort keys %asked;
    like($server->log_text, qr/took over the size that another process gave it/, 'workers with less room took over what the others gave');
    unlike($server->log_text, qr/is opened again/, 'with the store open');
    sound(store_dir());
}

{
    resize($large);
    my $c = start($account, 'SIZE', to => [numbers($many)]);
    my $sent = requests('SIZE');
    my @ids = map { audience() } 1 .. 6;
    ok(wait_for(sub { requests('SIZE') >= $sent + 50 }), 'the store takes more than the smaller size, a campaign is under way');
    is($server->alerts, '', 'nothing in the log');

    ok($server->quit, 'it is lowered below that');
    $server->configure(size => $small);
    $server->start;
    my $asks = nobody($account->key);
    refused($asks->post('/templates', { channel => 'SIZE', text => 'x' }), 507, 1014, 'what is new is refused');
    is($asks->get("/campaigns/$c->{id}")->data->{status}, 'in_progress', 'reads go on');
    is($asks->patch("/campaigns/$c->{id}", { status => 'canceled' })->status, 200, 'a campaign is canceled');
    is(join(' ', map { $asks->delete("/audiences/$_")->status } @ids), '204 204 204 204 204 204', 'and audiences are deleted');
    ok(wait_for(sub { $asks->post('/templates', { channel => 'SIZE', text => 'x' })->status == 201 }), 'so there is room again');
    sound(store_dir());
}

is($server->alerts('is full'), '', 'the log tells that it was full, and of nothing else');
ok($server->quit, 'the server ends');
done_testing();
