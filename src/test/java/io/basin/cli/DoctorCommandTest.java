package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.DeviceProvider.Finding;
import io.basin.device.Devices;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the doctor makes of what it finds: a verdict and an exit code. */
class DoctorCommandTest {
    /** The CPU under another name and with findings of its own, or no device at all. */
    private record Patient(String name, boolean opens, List<Finding> diagnose) implements DeviceProvider {
        @Override
        public int priority() {
            return 0;
        }

        @Override
        public Device open(int threads) {
            if (!opens) throw new DeviceException("no such device");
            return Devices.open("cpu", threads);
        }
    }

    private static final Patient WELL = new Patient("well", true, List.of(Finding.of("a library: 1.0")));
    private static final Patient ABSENT = new Patient("absent", false, List.of(Finding.of("a library: not found")));
    private static final Patient WRONG = new Patient("wrong", true, List.of(new Finding("a trial: WRONG", false)));

    private static void require(int code, String verdict, DeviceProvider... patients) {
        Shell doctor = Shell.run(() -> new CommandLine(new DoctorCommand(List.of(patients))), "--threads", 1);
        assertEquals(code, doctor.code(), doctor.out());
        assertTrue(doctor.out().matches("(?s).*verdict +" + verdict + ".*"), doctor.out());
    }

    @Test
    void aDeviceThatIsNotThereIsNoFaultWhereAnotherWorks() {
        require(0, "ready", ABSENT, WELL);
        require(1, "no device works", ABSENT);
    }

    /** It opens and learns, and whoever trusts it has wrong results. */
    @Test
    void aWrongTrialIsTheVerdictWhateverElseWorks() {
        require(1, "a device computes wrongly", WELL, WRONG);
    }
}
