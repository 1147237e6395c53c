package Campaign::Model;

# The wire contract in memory, for two accounts or more: what each request has to be answered with.  It knows objects by their identifiers, in the order in
# which they were made, and nothing of how they are stored.  `expect` says what is due: {status, codes}, or {status, shown: a sub that gives the object}, and
# `done`, a sub that takes the answer's data when the request was carried out.  Nothing is dispatched: statuses change by requests alone.

use v5.10.1;
use strict;
use warnings;

my $uuid = qr/\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/i;
my %channel = map { $_ => 1 } qw(SMS VIBER);

my %kind = (
    senders   => { none => 1151, bad => 1152, taken => 1157 },
    templates => { none => 1251, bad => 1252, taken => 1258 },
    audiences => { none => 1301, bad => 1302, taken => 1309 },
    contacts  => { none => 1351, bad => 1352, taken => 1360 },
    campaigns => { none => 1601, bad => 1602, taken => 1615 },
    messages  => { none => 1501, bad => 1502 },
);

my %status = ((map { $_ => 409 } 1157, 1158, 1258, 1309, 1310, 1360, 1611, 1612, 1615, 1012), (map { $_ => 404 } map { $_->{none} } values %kind), 1006 => 415);

# dates as a request may write them, and as a reply does; '' is in the past, undef is none
our %date = ('2100-01-01 00:00:00' => '2100-01-01 00:00:00', '2099-06-01T00:00:00Z' => '2099-06-01 00:00:00', '2099-01-01T00:00:00+02:00' => '2098-12-31 22:00:00',
             '2020-01-01 00:00:00' => '', soon => undef, '2099-02-29 00:00:00' => undef);

sub new { my ($class, @accounts) = @_; bless { accounts => [@accounts], by => {}, made => 0 }, $class }

sub find {
    my ($m, $who, $kind, $id) = @_;
    my $o = $m->{by}{ lc $id } or return undef;
    return $o->{who} == $who && $o->{kind} eq $kind && !$o->{gone} ? $o : undef;
}

# oldest first
sub all {
    my ($m, $who, $kind, $in) = @_;
    my @all = sort { $a->{no} <=> $b->{no} } grep { $_->{who} == $who && $_->{kind} eq $kind && !$_->{gone} && (!$in || $_->{in} eq lc $in) } values %{ $m->{by} };
    return @all;
}

sub add {
    my ($m, $who, $kind, $data, %o) = @_;
    my $o = { %o, who => $who, kind => $kind, no => ++$m->{made}, id => $data->{id}, create => $data->{create_date}, update => $data->{update_date} };
    $o->{name} = $data->{name} if exists $o->{name} && $o->{name} eq '';                # assigned
    return $m->{by}{ $data->{id} } = $o;
}

sub refuse { my @c = sort { $a <=> $b } @_; return { status => $status{ $c[0] } // 400, codes => \@c } }


# checks of fields: push codes, return what the field becomes

sub text {
    my ($c, $v, $least, $most, $missing, $wrong, $long, $lines) = @_;
    return '' if !defined $v;
    push @$c, $wrong and return '' if ref $v || $v =~ ($lines ? qr/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/ : qr/[\x00-\x1f\x7f]/);
    push @$c, $missing if length $v < $least;
    push @$c, $long if length $v > $most;
    return $v;
}

sub channel {
    my ($c, $v, $wrong) = @_;
    return '' if !defined $v;
    return uc $v if !ref $v && $channel{ uc $v };
    push @$c, $wrong;
    return '';
}

sub date {
    my ($c, $v, $wrong, $past) = @_;
    return if !defined $v;
    push @$c, $wrong and return if ref $v || !defined $date{$v};
    push @$c, $past if $date{$v} eq '';
    return $date{$v};
}

sub id_of {
    my ($c, $v, $wrong) = @_;
    return '' if !defined $v;
    push @$c, $wrong and return '' if ref $v || $v !~ $uuid;
    return lc $v;
}

my $placeholder = qr/\{(?:first_name|last_name|number|custom1|custom2|timestamp|date)(?:\|[^{}]*)?\}/;
sub bad_text { $_[0] =~ s/\{\{|\}\}|$placeholder//gr =~ /[{}]/ }

my %long = (first_name => [32, 1361], last_name => [32, 1362], custom1 => [32, 1363], custom2 => [70, 1364]);

# a contact, or the changes of one; the fields that were given
sub contact {
    my ($c, $v, $change) = @_;
    my %o;
    my $number = ref $v eq 'HASH' ? $v->{number} : $v;
    if (!defined $number) {
        push @$c, 1353 if !$change || exists $v->{number};
    } elsif (ref $number) {
        push @$c, 1354;
    } elsif ($number eq '') {
        push @$c, 1353;
    } elsif (length $number > 45) {
        push @$c, 1355;
    } elsif ($number !~ /\A\+?([1-9][0-9]{6,14})\z/) {
        push @$c, 1354;
    } else {
        $o{number} = $1;
    }
    return %o if ref $v ne 'HASH';
    for my $field (qw(first_name last_name custom1 custom2)) {
        next if !exists $v->{$field};
        my $was = @$c;
        my $text = text($c, $v->{$field}, 0, $long{$field}[0], 0, 1365, $long{$field}[1], 1);
        $o{$field} = $text if @$c == $was;
    }
    if (exists $v->{tags}) {
        my $tags = $v->{tags} // [];
        if (ref $tags ne 'ARRAY') { push @$c, 1365 } elsif (@$tags > 10) { push @$c, 1359 } else { $o{tags} = $tags }
    }
    return %o;
}

# contacts of a list: numbers once, the first one stands; a bad one has its first code, or $code
sub contacts {
    my ($c, $list, $code) = @_;
    my (%seen, @all);
    for my $item (@$list) {
        my @bad;
        my %o = contact(\@bad, $item);
        push @$c, $code // $bad[0] and next if @bad;
        push @all, \%o if !$seen{ $o{number} }++;
    }
    return @all;
}


# who, method, kind, id (undef: the whole), what a contact is in, data (or a reference to the code of what is wrong with the whole body, 0: it
# has no data)
sub expect {
    my ($m, $who, $method, $kind, $id, $in, $data) = @_;
    my $k = $kind{$kind};

    return refuse(1302) if defined $in && $in !~ $uuid;
    return refuse($k->{bad}) if defined $id && $id !~ $uuid;
    my $no_data = $kind eq 'templates' ? 1253 : 1007;
    return refuse($$data || $no_data) if ref $data eq 'SCALAR';
    return refuse($no_data)
        if defined $data && ref $data ne 'HASH' && !(ref $data eq 'ARRAY' && $kind eq 'contacts' && $method eq 'POST');

    if ($method eq 'GET' || $method eq 'DELETE') {
        my $o = $m->find($who, $kind, $id);
        return refuse($k->{none}) if !$o || (defined $in && $o->{in} ne lc $in);
        return { status => 200, shown => sub { $m->show($o) }, object => $o } if $method eq 'GET';
        return $m->expect_delete($o);
    }
    my $do = ($method eq 'POST' ? 'new_' : 'change_') . $kind;
    return $m->$do($who, $data, defined $id ? $m->find($who, $kind, $id) : undef, $in);
}

sub expect_delete {
    my ($m, $o) = @_;
    my @busy = grep { $_->{status} eq 'scheduled' } map { $m->all($o->{who}, $_) } qw(campaigns messages);
    return refuse(1310) if $o->{kind} eq 'audiences' && grep { ($_->{audience} // '') eq $o->{id} } @busy;
    return refuse(1158) if $o->{kind} eq 'senders' && grep { $_->{from} eq $o->{name} && $_->{channel} eq $o->{channel} } @busy;
    return { status => 204, done => sub {
        return $o->{status} = 'canceled' if $o->{kind} eq 'messages';
        $o->{gone} = 1;
        $_->{gone} = 1 for $o->{kind} eq 'audiences' ? $m->all($o->{who}, 'contacts', $o->{id}) : ();
        $m->{by}{ $o->{in} }{touched} = 1 if $o->{kind} eq 'contacts';
    } };
}

sub taken {
    my ($m, $o, $who, $kind, $name, $channel) = @_;
    return $name ne '' && grep { $_->{name} eq $name && (!$o || $_ != $o) && (!$channel || $_->{channel} eq $channel) } $m->all($who, $kind);
}

sub created { my ($m, $who, $kind, %o) = @_; return { status => 201, done => sub { $m->add($who, $kind, $_[0], %o) } } }

sub changed {
    my ($m, $o, %new) = @_;
    return { status => 200, shown => sub { $m->show($o) }, object => $o, done => sub { %$o = (%$o, %new, touched => 1) } };
}

sub same { my ($m, $o) = @_; return { status => 200, shown => sub { $m->show($o) }, object => $o } }


sub new_senders {
    my ($m, $who, $d) = @_;
    my @c;
    push @c, 1153 if !defined $d->{name};
    my $name = text(\@c, $d->{name}, 1, 16, 1153, 1154, 1154);
    push @c, 1155 if !defined $d->{channel};
    my $channel = channel(\@c, $d->{channel}, 1156);
    my $type = $name =~ /\A\+?[0-9]{7,15}\z/ ? 'LONG_CODE' : $name =~ /\A[0-9]{5,6}\z/ ? 'SHORT_CODE' : $name =~ /\A(?=.*[A-Za-z])[A-Za-z0-9 _.&-]{1,11}\z/ ? 'ALPHANUMERIC' : '';
    push @c, 1154 if $name ne '' && $type eq '' && !grep { $_ == 1154 } @c;
    return refuse(@c) if @c;
    $name =~ s/^\+//;
    return refuse(1157) if $m->taken(undef, $who, 'senders', $name, $channel);
    return $m->created($who, 'senders', name => $name, channel => $channel, type => $type);
}

sub new_templates {
    my ($m, $who, $d) = @_;
    my @c;
    my $name = text(\@c, $d->{name}, 0, 45, 0, 1259, 1263);
    push @c, 1254 if !defined $d->{text};
    my $text = text(\@c, $d->{text}, 1, 1000, 1254, 1255, 1260, 1);
    push @c, 1256 if !defined $d->{channel};
    my $channel = channel(\@c, $d->{channel}, 1257);
    push @c, 1255 if $text ne '' && bad_text($text);
    return refuse(@c) if @c;
    return refuse(1258) if $m->taken(undef, $who, 'templates', $name);
    return $m->created($who, 'templates', name => $name, text => $text, channel => $channel);
}

sub change_templates {
    my ($m, $who, $d, $o) = @_;
    my (@c, %new);
    my $name = text(\@c, $d->{name}, 0, 45, 0, 1259, 1263);
    my $text = text(\@c, $d->{text}, 1, 1000, 1254, 1255, 1260, 1);
    push @c, 1255 if $text ne '' && bad_text($text);
    return refuse(@c) if @c;
    return refuse(1251) if !$o;
    return refuse(1258) if $m->taken($o, $who, 'templates', $name);
    return $m->same($o) if $name eq '' && $text eq '';
    return $m->changed($o, ($name ne '' ? (name => $name) : ()), $text ne '' ? (text => $text) : ());
}

sub new_audiences {
    my ($m, $who, $d) = @_;
    my @c;
    push @c, 1303 if !defined $d->{name};
    my $name = text(\@c, $d->{name}, 1, 45, 1303, 1304, 1305);
    push @c, 1306 if !defined $d->{channel};
    my $channel = channel(\@c, $d->{channel}, 1307);
    my @contacts;
    if (defined $d->{contacts}) {
        if (ref $d->{contacts} eq 'ARRAY') { @contacts = contacts(\@c, $d->{contacts}) } else { push @c, 1365 }
    }
    push @c, 1304 if $name =~ /[\x21-\x2c.\/:-@\[-^`{-~]/;
    return refuse(@c) if @c;
    return refuse(1309) if $m->taken(undef, $who, 'audiences', $name);
    return $m->created($who, 'audiences', name => $name, channel => $channel, unknown => \@contacts);
}

sub change_audiences {
    my ($m, $who, $d, $o) = @_;
    my @c;
    my $name = text(\@c, $d->{name}, 1, 45, 1303, 1304, 1305);
    push @c, 1304 if $name =~ /[\x21-\x2c.\/:-@\[-^`{-~]/;
    return refuse(@c) if @c;
    return refuse(1301) if !$o;
    return $m->same($o) if $name eq '';
    return refuse(1309) if $m->taken($o, $who, 'audiences', $name);
    return $m->changed($o, name => $name);
}

# one contact or a list; those of a list are met later, in the audience's own list
sub new_contacts {
    my ($m, $who, $d, undef, $in) = @_;
    my @c;
    return refuse(1007) if ref $d eq 'ARRAY' && !@$d;
    my @new = ref $d eq 'ARRAY' ? contacts(\@c, $d) : do { my %o = contact(\@c, $d); \%o };
    return refuse(@c) if @c;
    my $audience = $m->find($who, 'audiences', $in) or return refuse(1301);
    my %there = map { $_->{number} => 1 } $m->all($who, 'contacts', $in), @{ $audience->{unknown} };
    my @free = grep { !$there{ $_->{number} } } @new;
    if (ref $d eq 'ARRAY') {
        return { status => 201, exact => { created => 0 + @free, duplicates => @$d - @free, invalid => 0, errors => [] },
                 done => sub { push @{ $audience->{unknown} }, @free; $audience->{touched} = 1 } };
    }
    return refuse(1360) if !@free;
    my $r = $m->created($who, 'contacts', in => lc $in, %{ $new[0] });
    return { %$r, done => sub { $audience->{touched} = 1; $r->{done}->(@_) } };
}

# contacts that came in bulk get their identifiers: those of the list that are not known yet, in order
sub meet {
    my ($m, $audience, @shown) = @_;
    for my $c (@shown) {
        next if $m->{by}{ $c->{id} };
        my $new = shift @{ $audience->{unknown} } or return;
        $m->add($audience->{who}, 'contacts', $c, in => $audience->{id}, %$new);
    }
}

sub change_contacts {
    my ($m, $who, $d, $o, $in) = @_;
    my @c;
    my %new = contact(\@c, $d, 1);
    return refuse(@c) if @c;
    return refuse(1351) if !$o || $o->{in} ne lc $in;
    return $m->same($o) if !%new;
    my $audience = $m->{by}{ lc $in };
    return refuse(1360) if defined $new{number} && grep { $_->{number} eq $new{number} && $_ != $o } $m->all($who, 'contacts', $in), @{ $audience->{unknown} };
    my $r = $m->changed($o, %new);
    return { %$r, done => sub { $audience->{touched} = 1; $r->{done}->() } };
}

sub new_campaigns {
    my ($m, $who, $d) = @_;
    my @c;
    my $noted = sub { my %c = map { $_ => 1 } @c; grep { $c{$_} } @_ };
    my $name = text(\@c, $d->{name}, 0, 45, 0, 1623, 1614);
    push @c, 1603 if !defined $d->{from};
    my $from = text(\@c, $d->{from}, 1, 16, 1603, 1604, 1604);
    my $audience = id_of(\@c, $d->{audience}, 1606);
    my @to;
    if (defined $d->{to}) {
        if (ref $d->{to} eq 'ARRAY' && @{ $d->{to} }) { @to = contacts(\@c, $d->{to}, 1618) } else { push @c, 1618 }
    }
    my $template = id_of(\@c, $d->{template}, 1608);
    my $text = text(\@c, $d->{text}, 1, 1000, 1607, 1620, 1620, 1);
    my $schedule = date(\@c, $d->{schedule}, 1609, 1522);
    my $channel = channel(\@c, $d->{channel}, 1619);
    my $payload = text(\@c, $d->{payload}, 0, 500, 0, 1621, 1621, 1);
    push @c, 1606 if $audience && @to;
    push @c, 1605 if !$audience && !@to && !$noted->(1606, 1618);
    if ($text ne '') {
        push @c, $template ? 1608 : bad_text($text) && !$noted->(1620) ? 1620 : ();
    } elsif (!$template && !$noted->(1607, 1608, 1620)) {
        push @c, 1607;
    }
    return refuse(@c) if @c;

    my $l = $audience && $m->find($who, 'audiences', $audience);
    my $t = $template && $m->find($who, 'templates', $template);
    push @c, 1606 if $audience && !($l && $m->count($l));
    push @c, 1608 if $template && !$t;
    if (!@c) {
        if ($channel ne '') {
            push @c, 1616 if $t && $t->{channel} ne $channel;
            push @c, 1617 if $l && $l->{channel} ne $channel;
        } elsif ($l && $t && $l->{channel} ne $t->{channel}) {
            push @c, 1613;
        } elsif ($l || $t) {
            $channel = ($l || $t)->{channel};
        } else {
            push @c, 1619;
        }
    }
    push @c, 1604 if !@c && !grep { $_->{name} eq $from && $_->{channel} eq $channel } $m->all($who, 'senders');
    push @c, 1615 if $m->taken(undef, $who, 'campaigns', $name);
    return refuse(@c) if @c;
    return $m->created($who, 'campaigns', name => $name, from => $from, channel => $channel, schedule => $schedule, payload => $payload, status => 'scheduled',
                       audience => $l ? $l->{id} : undef, template => $t ? $t->{id} : undef, total => $l ? $m->count($l) : scalar @to);
}

sub change_campaigns {
    my ($m, $who, $d, $o) = @_;
    my (@c, %new);
    my $name = text(\@c, $d->{name}, 0, 45, 0, 1623, 1614);
    my $status = $d->{status};
    push @c, 1611 if defined $status && (ref $status || $status !~ /\A(?:scheduled|in_progress|paused|completed|failed|canceled)\z/i);
    my $schedule = date(\@c, $d->{schedule}, 1609, 1522);
    return refuse(@c) if @c;
    return refuse(1601) if !$o;
    return refuse(1611) if (defined $status && (lc $status ne 'canceled' || $o->{status} ne 'scheduled')) || ($schedule && $o->{status} ne 'scheduled');
    return refuse(1615) if $m->taken($o, $who, 'campaigns', $name);
    return $m->same($o) if $name eq '' && !$schedule && !defined $status;
    return $m->changed($o, ($name ne '' ? (name => $name) : ()), ($schedule ? (schedule => $schedule) : ()), defined $status ? (status => 'canceled') : ());
}

# messages sent alone: `to` is a list of numbers here; each becomes an object
sub new_messages {
    my ($m, $who, $d) = @_;
    my @c;
    push @c, 1503 if !defined $d->{from};
    my $from = text(\@c, $d->{from}, 1, 16, 1503, 1504, 1504);
    push @c, 1505 if !defined $d->{to};
    my (@to, %seen);
    if (ref $d->{to} eq 'ARRAY') {
        push @c, 1505 if !@{ $d->{to} };
        push @c, 1507 if @{ $d->{to} } > 10;
        for (@{ $d->{to} } > 10 ? () : @{ $d->{to} }) {
            if (!ref && /\A\+?([1-9][0-9]{6,14})\z/) { push @to, $1 if !$seen{$1}++ } else { push @c, 1506 }
        }
    }
    my $channel = channel(\@c, $d->{channel}, 1515);
    my $text = text(\@c, $d->{text}, 1, 1000, 1508, 1509, 1510, 1);
    my $template = id_of(\@c, $d->{template}, 1511);
    my $schedule = date(\@c, $d->{schedule}, 1521, 1522);
    my %noted = map { $_ => 1 } @c;
    push @c, 1511 if $template && $text ne '';
    push @c, 1508 if !$template && $text eq '' && !grep { $noted{$_} } 1508 .. 1511;
    push @c, 1515 if !$template && $channel eq '' && !$noted{1515} && !$noted{1511};
    return refuse(@c) if @c;
    my $t = $template && $m->find($who, 'templates', $template);
    return refuse(1511) if $template && !$t;
    return refuse(1512) if $t && $channel ne '' && $t->{channel} ne $channel;
    $channel = $t->{channel} if $t;
    return refuse(1504) if !grep { $_->{name} eq $from && $_->{channel} eq $channel } $m->all($who, 'senders');
    my @new = map { { from => $from, to => $_, channel => $channel, status => 'scheduled', schedule => $schedule, template => $t ? $t->{id} : undef,
                      text => $t ? rendered($t->{text}, $_) : $text } } @to;
    return { status => 201, several => scalar @new, done => sub { map { $m->add($who, 'messages', $_, %{ shift @new }) } @{ $_[0] } } };
}

# for a recipient of whom nothing but the number is known
sub rendered {
    my ($text, $number) = @_;
    $text =~ s/\{\{|\}\}|\{number\}|\{\w+(?:\|([^{}]*))?\}/$& eq '{{' ? '{' : $& eq '}}' ? '}' : $& eq '{number}' ? $number : $1 \/\/ ''/ge;
    return $text;
}


sub count { my ($m, $l) = @_; return $m->all($l->{who}, 'contacts', $l->{id}) + @{ $l->{unknown} } }

# all messages of an account, those of its campaigns too
sub messages {
    my ($m, $who) = @_;
    my $n = $m->all($who, 'messages');
    $n += $_->{total} for $m->all($who, 'campaigns');
    return $n;
}

# the object as a reply shows it
sub show {
    my ($m, $o) = @_;
    my $kind = $o->{kind};
    my $text = sub { defined $_[0] && $_[0] ne '' ? $_[0] : undef };

    if ($kind eq 'contacts') {
        return { id => $o->{id}, (map { $_ => $text->($o->{$_}) } qw(number first_name last_name custom1 custom2)), tags => $o->{tags} // [],
                 links => { self => "/v1/audiences/$o->{in}/contacts/$o->{id}", audience => "/v1/audiences/$o->{in}" } };
    }

    my $account = $m->{accounts}[ $o->{who} ];
    my %shown = (id => $o->{id}, account_id => $account, channel => $o->{channel}, create_date => $o->{create}, update_date => $o->{update});
    my %links = (self => "/v1/$kind/$o->{id}", account => "/v1/accounts/$account");
    $shown{name} = $o->{name} if $kind ne 'messages';

    if ($kind eq 'senders') {
        my $code = $o->{type} eq 'ALPHANUMERIC' ? undef : $o->{name};
        @shown{qw(display_name code phone type status)} = ($o->{name}, $code, $code, $o->{type}, 'ACTIVE');
    } elsif ($kind eq 'templates') {
        @shown{qw(text status)} = ($o->{text}, 'COMPLETED');
    } elsif ($kind eq 'audiences') {
        $shown{contacts_count} = $m->count($o);
        $links{contacts} = "$links{self}/contacts";
    } elsif ($kind eq 'campaigns') {
        @shown{qw(template_id audience_id from status schedule payload)} = (@$o{qw(template audience from status schedule)}, $text->($o->{payload}));
        $shown{messages} = { (map { $_ => 0 } qw(enroute sent delivered failed skipped pending canceled)), total => $o->{total},
                             ($o->{status} eq 'canceled' ? 'canceled' : 'pending') => $o->{total} };
        @links{qw(audience contacts)} = ("/v1/audiences/$o->{audience}", "/v1/audiences/$o->{audience}/contacts") if $o->{audience};
        $links{template} = "/v1/templates/$o->{template}" if $o->{template};
    } else {
        @shown{qw(from to direction status text template_id schedule reason attempts gateway_id)} =
            (@$o{qw(from to)}, 'MT', @$o{qw(status text template schedule)}, $o->{status} eq 'canceled' ? 'canceled' : undef, 0, undef);
        delete $shown{update_date};
        return \%shown;
    }
    return { %shown, links => \%links };
}

1;
