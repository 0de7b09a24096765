# The functions of install.ps1 under Pester. What only Windows has is stood in for.
BeforeAll {
    $parts = Join-Path $PSScriptRoot '../../../installers/windows'
    . (Join-Path $parts 'functions.ps1')
    . (Join-Path $parts 'owners.ps1')
    . (Join-Path $parts 'installation.ps1')
    $RportVersion = '1.2.3'
    $RportManifest = "windows-x64 5 $('a' * 64) agent-x64.exe`nwindows-arm64 6 $('b' * 64) agent-arm64.exe"
    $Token = '0123456789ABCDEFGHJKMNPQRS'

    # The exit status and the sentence with which something ends.
    function Get-End([scriptblock] $Body) {
        try { & $Body } catch { return '{0}: {1}' -f (Get-ExitStatus $_.Exception), $_.Exception.Message }
        return 'no end'
    }
}

Describe 'the processor' {
    It 'is the machine''s, not that of this PowerShell' {
        Mock Get-ItemProperty { New-Object PSObject -Property @{ PROCESSOR_ARCHITECTURE = 'ARM64' } }
        $env:PROCESSOR_ARCHITECTURE = 'AMD64'
        (Select-ManifestFile $RportManifest).Name | Should -Be 'agent-arm64.exe'
    }

    It 'of arm64 takes the executable for x64 where there is no other' {
        Mock Get-ItemProperty { New-Object PSObject -Property @{ PROCESSOR_ARCHITECTURE = 'ARM64' } }
        $file = Select-ManifestFile ($RportManifest -split "`n")[0]
        $file.Name | Should -Be 'agent-x64.exe'
        $file.Size | Should -Be 5
    }

    It 'is refused when nothing is made for it' {
        Mock Get-ItemProperty { New-Object PSObject -Property @{ PROCESSOR_ARCHITECTURE = 'x86' } }
        Get-End { Select-ManifestFile $RportManifest } | Should -BeLike '3: There is no agent for this machine (x86)*'
    }

    It 'is refused when the server has nothing for it' {
        Mock Get-ItemProperty { New-Object PSObject -Property @{ PROCESSOR_ARCHITECTURE = 'AMD64' } }
        Get-End { Select-ManifestFile 'linux-x64 1 2 3' } | Should -BeLike '3: This server has no agent*'
    }
}

Describe 'words of a command line' {
    It 'reach a program as they are: <_>' -ForEach @(
        '', ' ', 'a b', 'a"b', '"', '\', 'a\', 'a\\" b\', "it's", '*', '$(1)', '%PATH%', '`', "tab`there", '-x', 'a\\'
    ) {
        $said = New-Object System.Collections.ArrayList
        $print = 'for each; do printf "<%s>" "$each"; done'
        [void] (Invoke-Program 'sh' @('-c', $print, 'sh', $_, 'end') -Into $said)
        $said -join "`n" | Should -BeExactly "<$_><end>"
    }
}

Describe 'a program' {
    It 'gets its input, and no byte order mark' {
        $said = New-Object System.Collections.ArrayList
        [void] (Invoke-Program 'od' @('-c') -InputText "ab`n" -Into $said)
        $said[0] | Should -Match '^0+\s+a\s+b\s+\\n$'
    }

    It 'does not have to read its input' {
        Invoke-Program 'true' @() -InputText ('x' * 1000) | Should -Be 0
    }

    It 'is told what proxy there is, and nothing for its runtime' {
        $env:BUN_OPTIONS = '--preload=evil'
        $said = New-Object System.Collections.ArrayList
        [void] (Invoke-Program 'env' @() -Environment @{ HTTPS_PROXY = 'http://p:1/' } -Into $said)
        Remove-Item Env:BUN_OPTIONS
        $said | Should -Contain 'HTTPS_PROXY=http://p:1/'
        $said | Should -Contain 'DO_NOT_TRACK=1'
        $said -like 'BUN_OPTIONS*' | Should -BeNullOrEmpty
    }

    It 'that fails is told with what it said' {
        Get-End { Invoke-Quietly 'sh' @('-c', 'echo no; exit 4') } | Should -Be '1: sh ended with status 4: no'
    }
}

Describe 'a work directory' {
    It 'of an administrator is for administrators and the system alone' {
        Mock Invoke-Program { 0 }
        $work = New-WorkDirectory $true
        Remove-WorkDirectory $work
        Should -Invoke Invoke-Program -ParameterFilter {
            $File -eq 'icacls.exe' -and ($Arguments -join ' ') -ceq
            "$work /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F"
        }
    }

    It 'of an administrator lies where nobody else puts it aside, and is protected by Windows'' own program' {
        $folder = Join-Path $TestDrive 'Program Files'
        [void] (New-Item -ItemType Directory -Path $folder)
        Mock Get-WindowsFolder { if ($Name -eq 'System') { return '/System32' } else { return $folder } }
        Mock Invoke-Program { 0 }
        $work = New-WorkDirectory $true
        Split-Path $work | Should -Be $folder
        Remove-WorkDirectory $work
        Should -Invoke Invoke-Program -ParameterFilter { $File -eq '/System32/icacls.exe' }
        $plain = New-WorkDirectory $false
        Split-Path $plain | Should -Not -Be $folder
        Remove-WorkDirectory $plain
    }

    It 'that cannot be protected ends the installation' {
        $script:refused = ''
        Mock Invoke-Program { $script:refused = $Arguments[0]; 5 }
        Get-End { New-WorkDirectory $true } | Should -BeLike '1: icacls.exe ended with status 5*'
        $script:refused | Should -Not -BeNullOrEmpty
        Test-Path $script:refused | Should -BeFalse
    }

    It 'is gone in the end, with all that is in it' {
        $work = New-WorkDirectory $false
        Set-Content -Path (Join-Path $work 'file') -Value 'x'
        Remove-WorkDirectory $work
        Test-Path $work | Should -BeFalse
    }
}

Describe 'the rights' {
    It 'of an administrator are needed for the whole machine' {
        Mock Test-Administrator { $false }
        Get-End { Assert-Administrator @{ Server = 'x' } $false } | Should -BeLike '7: This needs an elevated*'
        Get-End { Assert-Administrator @{ Uninstall = $true } $false } | Should -BeLike '7: *'
    }

    It 'are not asked for where they are not needed' {
        Mock Test-Administrator { $false }
        Get-End { Assert-Administrator @{ Prefix = '/x' } $false } | Should -Be 'no end'
        Get-End { Assert-Administrator @{ Status = $true } $false } | Should -Be 'no end'
        Get-End { Assert-Administrator @{} $true } | Should -Be 'no end'
        Mock Test-Administrator { $true }
        Get-End { Assert-Administrator @{} $false } | Should -Be 'no end'
    }
}

Describe 'a token' {
    It 'is read without what PowerShell puts around it' {
        ConvertTo-TokenLine "$([char] 0xfeff)  $Token`r`n" | Should -BeExactly "$Token`n"
    }

    It 'that is none is not repeated: <_>' -ForEach @('', '-x', 'two words', 'secret$') {
        $end = Get-End { ConvertTo-TokenLine $_ }
        $end | Should -Be '2: The pairing token has 26 letters and digits.'
    }

    It 'comes from one place only' {
        Get-End { Read-GivenToken $Token 'file' $false } | Should -BeLike '2: Only one of*'
    }

    It 'is read from a file in the caller''s directory, also from one of UTF-16' {
        Set-Content -Path (Join-Path $TestDrive 'token') -Value $Token -Encoding Unicode
        Push-Location $TestDrive
        try { Read-GivenToken '' 'token' $false | Should -BeExactly "$Token`n" } finally { Pop-Location }
    }

    It 'is not read from a file that is missing or long' {
        Get-End { Read-GivenToken '' (Join-Path $TestDrive 'none') $false } | Should -BeLike '2: -TokenFile cannot*'
        Set-Content -Path (Join-Path $TestDrive 'long') -Value ('x' * 2000)
        Get-End { Read-GivenToken '' (Join-Path $TestDrive 'long') $false } | Should -BeLike '2: -TokenFile does not*'
    }

    It 'is asked for without showing it, where one is needed' {
        Mock Read-Host { ConvertTo-SecureString $Token -AsPlainText -Force } -ParameterFilter { $AsSecureString }
        Get-Token @{} (Join-Path $TestDrive 'none.conf') $false | Should -BeExactly "$Token`n"
    }

    It 'is not asked for on a host that is enrolled, in a dry run, or when nobody is there' {
        Mock Read-Host { throw 'asked' }
        Set-Content -Path (Join-Path $TestDrive 'rport.conf') -Value ''
        Get-Token @{} (Join-Path $TestDrive 'rport.conf') $false | Should -BeExactly ''
        Get-Token @{} (Join-Path $TestDrive 'none.conf') $true | Should -BeExactly ''
        Get-End { Get-Token @{ Yes = $true } (Join-Path $TestDrive 'none.conf') $false } | Should -BeLike '2: A pairing token*'
    }
}

Describe 'arguments of the agent' {
    It 'have what was asked for, and no token' {
        $given = @{
            Server = 'https://h'; Name = 'web 01'; Tag = @('a', 'b'); NewId = $true; NoService = $true
            Force = $false; NoStart = $true; Prefix = '/x'
        }
        $expected = @(
            'install', '--server=https://h', '--token-stdin', '--name=web 01', '--tag=a', '--tag=b',
            '--prefix=/x', '--new-id', '--no-service', '--no-start'
        )
        Get-InstallArguments $given $false $true | Should -BeExactly $expected
    }

    It 'are few where little was asked for' {
        Get-InstallArguments @{ Server = 'https://h' } $true $false | Should -BeExactly @('install', '--server=https://h', '--dry-run')
    }
}

Describe 'the usage' {
    It 'refuses what is no address: <_>' -ForEach @('ftp://x', 'https://a b', 'https://', "https://a`nb", 'x') {
        Get-End { Assert-Server $_ } | Should -BeLike '2: *'
    }

    It 'takes addresses' {
        Get-End { Assert-Server 'https://rport.example.com:8443/x' } | Should -Be 'no end'
    }

    It 'wants a hash with a package, and a package with a hash' {
        Get-End { Assert-Package @{ Package = 'x' } } | Should -BeLike '2: -Package needs -Sha256*'
        Get-End { Assert-Package @{ Package = 'x'; Sha256 = 'abc' } } | Should -BeLike '2: -Package needs -Sha256*'
        Get-End { Assert-Package @{ Sha256 = 'a' * 64 } } | Should -BeLike '2: -Sha256 needs*'
        Get-End { Assert-Package @{ Package = 'x'; Sha256 = 'A' * 64 } } | Should -Be 'no end'
    }

    It 'refuses RPort''s letter <_> with a sentence' -ForEach @('x', 't', 'i', 'r', 'd') {
        Get-End { Assert-KnownLetter @{ $_ = $true } } | Should -BeLike "2: -$($_): *"
        Get-End { Assert-KnownLetter @{ $_ = $false } } | Should -Be 'no end'
    }

    It 'refuses the template' {
        $RportVersion = ''
        Get-End { Invoke-Installer @{} $false } | Should -BeLike '1: This is the template*'
    }
}

Describe 'TLS' {
    It '1.2 is allowed besides what was allowed' {
        $before = [System.Net.ServicePointManager]::SecurityProtocol
        Enable-Tls12
        $after = [System.Net.ServicePointManager]::SecurityProtocol
        $after.HasFlag([System.Net.SecurityProtocolType]::Tls12) | Should -BeTrue
        ($after -band $before) | Should -Be $before
    }
}

Describe 'the proxy' {
    BeforeEach {
        $before = [System.Net.WebRequest]::DefaultWebProxy
        foreach ($name in @('https_proxy', 'http_proxy', 'all_proxy')) { Remove-Item "Env:$name" -ErrorAction Ignore }
    }
    AfterEach { [System.Net.WebRequest]::DefaultWebProxy = $before }

    It 'of the system is the agent''s, too' {
        [System.Net.WebRequest]::DefaultWebProxy = New-Object System.Net.WebProxy 'http://proxy.example:3128'
        (Get-ProxyEnvironment 'https://server.example').HTTPS_PROXY | Should -Be 'http://proxy.example:3128/'
    }

    It 'is left out where the system leaves it out' {
        $proxy = New-Object System.Net.WebProxy 'http://proxy.example:3128'
        $proxy.BypassList = @('server\.example')
        [System.Net.WebRequest]::DefaultWebProxy = $proxy
        (Get-ProxyEnvironment 'https://server.example').Count | Should -Be 0
    }

    It 'that the caller''s environment names stays' {
        [System.Net.WebRequest]::DefaultWebProxy = New-Object System.Net.WebProxy 'http://proxy.example:3128'
        $env:https_proxy = 'http://mine:1'
        try { (Get-ProxyEnvironment 'https://server.example').Count | Should -Be 0 } finally { Remove-Item Env:https_proxy }
    }
}

Describe 'a download' {
    It 'is tried three times, and then told with its reason' {
        Mock Save-DownloadOnce { throw 'no route' }
        Mock Start-Sleep {}
        Get-End { Save-Download 'https://h/x' 'f' 1 } | Should -Be '5: Could not fetch https://h/x: no route'
        Should -Invoke Save-DownloadOnce -Exactly -Times 3
    }

    It 'of more than it should be stops there' {
        $from = New-Object System.IO.MemoryStream (, [byte[]] (1..200))
        $file = Join-Path $TestDrive 'short'
        Save-Stream $from $file 10
        (Get-Item $file).Length | Should -Be 11
        Get-End { Assert-RightFile $file 'agent' 10 ('a' * 64) } | Should -Be '6: agent has 11 bytes and should have 10.'
    }
}

Describe 'what is installed' {
    It 'for the whole machine is in the system''s own places' {
        $env:ProgramFiles = '/pf'
        $env:ProgramData = '/pd'
        (Get-InstalledPlace '').Program | Should -Be '/pf/rport-agent/rport-agent'
        (Get-InstalledPlace '').Config | Should -Be '/pd/rport/rport.conf'
        (Get-InstalledPlace '/x').Program | Should -Be '/x/bin/rport-agent'
    }

    It 'is installed again from a copy only if the copy is what it should be' {
        $installed = Join-Path $TestDrive 'installed'
        $copy = Join-Path $TestDrive 'copy'
        [System.IO.File]::WriteAllText($installed, '12345')
        Mock Get-Processor { 'AMD64' }
        Mock Save-Download { throw 'nothing is to be fetched' }
        Mock Get-Sha256 { if ($File -eq $installed) { return 'a' * 64 } else { return 'b' * 64 } }
        Get-End { Get-ReleasedAgent 'https://h' $installed $copy } | Should -BeLike '6: agent-x64.exe is not the file*'
        [System.IO.File]::Delete($copy)
        Mock Get-Sha256 { 'a' * 64 }
        Get-End { Get-ReleasedAgent 'https://h' $installed $copy } | Should -Be 'no end'
        [System.IO.File]::ReadAllText($copy) | Should -Be '12345'
    }

    It 'has its temporary files where nobody else changes them' {
        $prefix = Join-Path $TestDrive 'another'
        [void] (New-Item -ItemType Directory -Path (Join-Path $prefix 'bin'))
        Set-Content -Path (Join-Path $prefix 'bin/rport-agent') -Value 'x'
        Mock Invoke-Program { 0 }
        Invoke-Installer @{ Status = $true; Prefix = $prefix } $false | Should -Be 0
        Should -Invoke Invoke-Program -ParameterFilter {
            $Environment.TEMP -eq (Split-Path $File) -and $Environment.TMP -eq $Environment.TEMP
        }
    }

    It 'is removed by a copy of it: Windows deletes no program that runs' {
        $prefix = Join-Path $TestDrive 'prefix'
        [void] (New-Item -ItemType Directory -Path (Join-Path $prefix 'bin'))
        Set-Content -Path (Join-Path $prefix 'bin/rport-agent') -Value 'x'
        Mock Invoke-Program { 0 }
        Invoke-Installer @{ Uninstall = $true; KeepConfig = $true; Prefix = $prefix } $false | Should -Be 0
        Should -Invoke Invoke-Program -ParameterFilter {
            -not $File.StartsWith($prefix) -and ($Arguments -join ' ') -ceq "uninstall --prefix=$prefix --keep-config"
        }
    }
}
