package Campaign::Sending;

# For the tests of sending: a server that dispatches, to a gateway of the test (Campaign::Gateway).  Each channel of a file has a location of its
# own at the gateway's path of the same name in lower case, so that the gateway's script and the tests tell them apart by path.

use v5.10.1;
use strict;
use warnings;

use Campaign;
use Campaign::Gateway;
use Carp qw(croak);
use Exporter 'import';
use JSON::PP ();
use Test::More ();

our @EXPORT = qw(gateway channel headers decode numbers start settled requests counts sent_by most);

my $gateway;
my $json = JSON::PP->new->utf8;

sub decode { $json->decode($_[0]) }

$Campaign::Dispatch = 'on';

# the gateway; called first with its script
sub gateway {
    return $gateway if $gateway;

    $gateway = Campaign::Gateway->new(file => store_dir() =~ s/-store\z/-gateway/r, script => $_[0]);
    $Campaign::HttpConfig .= <<"END" . headers();
upstream told { server 127.0.0.1:@{[ $gateway->port ]}; keepalive 64; }
proxy_method POST;
proxy_http_version 1.1;
proxy_pass_request_headers off;
proxy_set_body \$campaign_body;
END
    return $gateway;
}

# what each request to the gateway has; a location with a proxy_set_header of its own repeats them
sub headers { <<'END' }
proxy_set_header Host gateway;
proxy_set_header Connection "";
proxy_set_header Idempotency-Key $campaign_message_id;
proxy_set_header X-Attempt $campaign_attempt;
proxy_set_header X-Sent $msec;
END

# configuration of a channel: a location that passes messages on to the gateway, unless what it has inside says where to; and what else it needs
sub channel {
    my ($name, $parameters, $inside, $outside) = @_;
    my $path = lc $name;

    $inside //= '';
    $inside .= "proxy_pass http://told/$path;\n" if $inside !~ /^(?:proxy_pass|return|rewrite)\b/m;

    return "campaign_gateway $name /_gateway/$path $parameters;\nlocation /_gateway/$path {\ninternal;\n$inside\n}\n" . ($outside // '');
}

# n numbers
sub numbers { map { '' . (15550000000 + $_) } 1 .. $_[0] }

# a campaign of this channel, at once; text and to unless given
sub start {
    my ($account, $channel, %fields) = @_;

    $account->{senders}{$channel} //= $account->sender(channel => $channel);
    return $account->make('/campaigns', { from => 'Acme', channel => $channel, text => 'Hello', to => [numbers(1)], %fields });
}

# the campaign in its last status, or as it is after some seconds
sub settled {
    my ($account, $campaign, $seconds) = @_;
    my $last;

    wait_for {
        $last = $account->get("/campaigns/$campaign->{id}")->data;
        return $last->{status} =~ /\A(?:completed|failed|canceled)\z/;
    } $seconds;
    return $last;
}

# what is not zero, such as "completed: 3 sent of 3"
sub counts {
    my $campaign = shift;
    my %n = %{ $campaign->{messages} };
    my $total = delete $n{total};

    return "$campaign->{status}: " . join(', ', map { "$n{$_} $_" } grep { $n{$_} } sort keys %n) . " of $total";
}

# requests that the gateway got for this campaign's channel
sub requests { $gateway->requests('/' . lc $_[0]) }

# the numbers that the requests are for, sorted
sub sent_by { sort map { decode($_->{body})->{data}{to}[0] } @_ }

# most of these times that lie within so many seconds
sub most {
    my ($seconds, @times) = @_;
    my ($first, $most) = (0, 0);

    for my $last (0 .. $#times) {
        $first++ while $times[$last] - $times[$first] >= $seconds;
        $most = $last - $first + 1 if $last - $first + 1 > $most;
    }
    return $most;
}

1;
